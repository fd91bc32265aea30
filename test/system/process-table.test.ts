import { afterEach, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { limitOpenFiles, readOpenFileLimits } from "../../src/system/limits.ts";
import { listChildren, parseProcessStat, readProcessStat } from "../../src/system/process-table.ts";
import { killQuietly } from "./support/fixture.ts";
import { TemporaryFolder } from "./support/temporary-folder.ts";

const started: number[] = [];
afterEach(() => started.splice(0).forEach(killQuietly));

test("a program's name may look like the rest of the line", () => {
  const text = "4711 (x) R 1 (2) 3 4) S 17 18 19 0 -1 4194560\n";
  expect(parseProcessStat(text)).toEqual({ state: "S", parent: 17, group: 18, session: 19 });
  expect(parseProcessStat("")).toBeUndefined();
  expect(parseProcessStat("4711 (cut off) S 1")).toBeUndefined();
});

test("a process tells of its parent, and one that is not there of nothing", () => {
  expect(readProcessStat(process.pid)).toMatchObject({ state: "R", parent: process.ppid });
  expect(readProcessStat(0x3fffffff)).toBeUndefined();
});

test("our children are listed, zombies included, and nobody else's", () => {
  const child = Bun.spawn(["sleep", "1000"]);
  started.push(child.pid);
  expect(listChildren()).toContain(child.pid);
  expect(listChildren()).not.toContain(process.pid);
  expect(listChildren()).not.toContain(process.ppid);
  expect(listChildren()).not.toContain(1);
  child.kill("SIGKILL");
  // Bun can't reap it before this test gives way to its loop, so this looks without giving way; the bound is a minute.
  for (let looks = 0; looks < 5_000_000 && readProcessStat(child.pid)?.state !== "Z"; looks++);
  expect(listChildren()).toContain(child.pid);
});

test("a kernel that lists children by thread is believed", () => {
  using proc = new TemporaryFolder();
  const lists = { [process.pid]: "4711 4712 ", 99: "", 100: "4713 " };
  for (const [thread, children] of Object.entries(lists)) {
    mkdirSync(proc.file(`self/task/${thread}`), { recursive: true });
    writeFileSync(proc.file(`self/task/${thread}/children`), children);
  }
  // A thread that ends while it is looked at.
  mkdirSync(proc.file("self/task/101"));
  expect(listChildren(proc.path).sort()).toEqual([4711, 4712, 4713]);
});

test("without /proc there is nothing to list", () => {
  expect(listChildren("/no/such/folder")).toEqual([]);
});

test("without a free descriptor nothing is seen, and nobody dies of it", () => {
  const { soft } = readOpenFileLimits();
  limitOpenFiles(3);
  try {
    expect(readProcessStat(process.pid)).toBeUndefined();
    expect(listChildren()).toEqual([]);
  } finally {
    limitOpenFiles(soft);
  }
  expect(readProcessStat(process.pid)).toBeDefined();
});
