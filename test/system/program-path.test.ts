import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { resolveProgram } from "../../src/system/program-path.ts";
import { TemporaryFolder } from "./support/temporary-folder.ts";

function populate(folder: TemporaryFolder): void {
  for (const name of ["bin", "sbin", "bin/folder"]) mkdirSync(folder.file(name));
  writeFileSync(folder.file("bin/tool"), "", { mode: 0o755 });
  writeFileSync(folder.file("sbin/tool"), "", { mode: 0o755 });
  writeFileSync(folder.file("bin/data"), "", { mode: 0o644 });
  writeFileSync(folder.file("sbin/data"), "", { mode: 0o755 });
}

test("a name is looked for in PATH, in its order, beyond what may not be executed", () => {
  using folder = new TemporaryFolder();
  populate(folder);
  const path = `/no/such/folder:${folder.file("bin")}:${folder.file("sbin")}`;
  expect(resolveProgram("tool", "/", path)).toBe(folder.file("bin/tool"));
  expect(resolveProgram("data", "/", path)).toBe(folder.file("sbin/data"));
});

test("an empty or relative folder in PATH is relative to the child's folder", () => {
  using folder = new TemporaryFolder();
  populate(folder);
  expect(resolveProgram("tool", folder.file("bin"), "")).toBe("./tool");
  expect(resolveProgram("tool", folder.file("bin"), "/nowhere:")).toBe("./tool");
  expect(resolveProgram("tool", folder.path, "sbin")).toBe("sbin/tool");
  expect(resolveProgram("tool", folder.file("bin"), ".")).toBe("./tool");
});

test("a name with a slash is a path, and PATH has no part in it", () => {
  using folder = new TemporaryFolder();
  populate(folder);
  expect(resolveProgram("bin/tool", folder.path, undefined)).toBe("bin/tool");
  expect(resolveProgram(folder.file("bin/tool"), "/", undefined)).toBe(folder.file("bin/tool"));
  expect(() => resolveProgram("./tool", folder.path, folder.file("bin"))).toThrow("ENOENT");
});

test("without PATH the standard folders are searched", () => {
  expect(resolveProgram("sh", "/", undefined)).toBe("/bin/sh");
});

test("what is there and may not be executed is EACCES, and what is not there ENOENT", () => {
  using folder = new TemporaryFolder();
  populate(folder);
  const path = folder.file("bin");
  expect(() => resolveProgram("data", "/", path)).toThrow('EACCES, program "data" in PATH');
  expect(() => resolveProgram("folder", "/", path)).toThrow("EACCES");
  expect(() => resolveProgram("bin/folder", folder.path, path)).toThrow("EACCES");
  expect(() => resolveProgram("none", "/", path)).toThrow('ENOENT, program "none" in PATH');
  expect(() => resolveProgram("", "/", path)).toThrow("ENOENT");
});
