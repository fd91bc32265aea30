import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config/load.ts";
import { createRealWorld } from "../../src/config/real-world.ts";

let folder = "";
const world = createRealWorld(() => 3);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kleinhirn-config-"));
  mkdirSync(join(folder, "work"));
  writeFileSync(join(folder, "serve"), "#!/bin/sh\n");
  chmodSync(join(folder, "serve"), 0o755);
  writeFileSync(join(folder, "data"), "x");
  symlinkSync("serve", join(folder, "link"));
  symlinkSync("nothing", join(folder, "dangling"));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("look", () => {
  test.each([
    ["serve", { kind: "file", readable: true, executable: true }],
    ["link", { kind: "file", readable: true, executable: true }],
    ["data", { kind: "file", readable: true, executable: false }],
    ["work", { kind: "folder", readable: true, executable: true }],
    ["missing", { kind: "absent", reason: "ENOENT" }],
    ["dangling", { kind: "absent", reason: "ENOENT" }],
    ["data/x", { kind: "absent", reason: "ENOTDIR" }],
    ["n".repeat(300), { kind: "absent", reason: "ENAMETOOLONG" }],
  ])("%s", (name, look) => {
    expect(world.look(join(folder, name))).toEqual(look as ReturnType<typeof world.look>);
  });

  test("a device is neither a file nor a folder", () => {
    expect(world.look("/dev/null").kind).toBe("other");
  });
});

describe("readFile", () => {
  test("gives the bytes", () => {
    expect(world.readFile(join(folder, "data"))).toEqual({ ok: true, bytes: Buffer.from("x") });
  });

  test.each([
    ["missing", "ENOENT"],
    ["work", "EISDIR"],
    ["data/x", "ENOTDIR"],
  ])("names the error of %s", (name, code) => {
    expect(world.readFile(join(folder, name))).toEqual({ ok: false, code });
  });
});

test("a file on the real machine is loaded, with its paths beside it", () => {
  const file = join(folder, "kleinhirn.toml");
  writeFileSync(
    file,
    `[supervisor]\nname = "t"\n[worker]\ntype = "program"\ncount = "auto"\ncmdline = ["../serve"]\ncwd = "work"\n`,
  );
  const result = loadConfig(file, world);
  expect(result.ok && result.config.sets[0]).toMatchObject({ count: 3, cwd: join(folder, "work") });
});
