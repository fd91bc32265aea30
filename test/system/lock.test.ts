import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { linkSync, mkdirSync, readFileSync, statSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { acquireLock, LockTakenError } from "../../src/system/lock.ts";
import { OperatingSystemError } from "../../src/system/operating-system-error.ts";
import { waitUntil } from "../helpers/wait.ts";
import { Fixture } from "./support/fixture.ts";
import { TemporaryFolder } from "./support/temporary-folder.ts";

setDefaultTimeout(60_000);

test("a lock is held by one at a time, whose pid is in the file", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("lock");
  const lock = acquireLock(path);
  expect(lock).toMatchObject({ path, pidNotWritten: undefined });
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(() => acquireLock(path)).toThrow(LockTakenError);
  expect(() => acquireLock(path)).toThrow(`${path} is locked by process ${process.pid}`);
  lock.release();
  lock.release();
  expect(statSync(path).isFile()).toBe(true);
  acquireLock(path).release();
});

test("a lock whose holder was killed is free, whatever the file says", async () => {
  using folder = new TemporaryFolder();
  const path = folder.file("lock");
  await using holder = new Fixture("lock-holder.ts", { args: [path] });
  await holder.waitFor("locked");
  expect(() => acquireLock(path)).toThrow(`process ${holder.pid}`);
  holder.signal("SIGKILL");
  await holder.exited();
  expect(readFileSync(path, "utf8")).toBe(`${holder.pid}\n`);
  const lock = acquireLock(path);
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
  lock.release();
});

test("children don't hold the lock of their parent", async () => {
  using folder = new TemporaryFolder();
  const path = folder.file("lock");
  const lock = acquireLock(path);
  const child = Bun.spawn(["sleep", "1000"]);
  try {
    lock.release();
    // An exec lets the parent go on a moment before it closes what is marked so.
    await waitUntil(() => isFree(path));
    expect(child.exitCode).toBeNull();
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
});

function isFree(path: string): boolean {
  try {
    acquireLock(path).release();
    return true;
  } catch (error) {
    if (error instanceof LockTakenError) return false;
    throw error;
  }
}

test("a longer or foreign content is replaced, and names nobody while the lock is held", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("lock");
  writeFileSync(path, "some text that was here before\n");
  const lock = acquireLock(path);
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
  writeFileSync(path, "not a pid");
  expect(() => acquireLock(path)).toThrow(`${path} is locked by another process`);
  lock.release();
});

test("a file that was removed under its holder locks nobody out for ever", () => {
  using folder = new TemporaryFolder();
  const path = folder.file("lock");
  const lock = acquireLock(path);
  unlinkSync(path);
  const next = acquireLock(path);
  expect(() => acquireLock(path)).toThrow(LockTakenError);
  lock.release();
  expect(() => acquireLock(path)).toThrow(LockTakenError);
  next.release();
});

describe("a path at which no lock can be", () => {
  const codeOf = (path: string) => {
    try {
      acquireLock(path).release();
    } catch (error) {
      if (error instanceof OperatingSystemError) return error.code;
      throw error;
    }
    return "none";
  };

  test("is told of by the name of the error", () => {
    using folder = new TemporaryFolder();
    const victim = folder.file("victim");
    writeFileSync(victim, "precious");
    symlinkSync(victim, folder.file("symlink"));
    linkSync(victim, folder.file("hard-link"));
    mkdirSync(folder.file("folder"));
    expect(codeOf(folder.file("symlink"))).toBe("ELOOP");
    expect(codeOf(folder.file("hard-link"))).toBe("EINVAL");
    expect(codeOf(folder.file("folder"))).toBe("EISDIR");
    expect(codeOf(folder.file("none/lock"))).toBe("ENOENT");
    expect(codeOf("/proc/kleinhirn.lock")).toMatch(/^(ENOENT|EACCES|EPERM)$/);
    expect(readFileSync(victim, "utf8")).toBe("precious");
  });
});

/** File systems of their own need a mount namespace of their own. */
describe.skipIf(process.getuid?.() !== 0)("on a file system", () => {
  const mounted = (folder: string, options: string, prepare: string) => [
    "unshare",
    "--mount",
    "sh",
    "-ec",
    `mount -t tmpfs -o ${options} none "$0"; ${prepare}; exec "$@"`,
    folder,
  ];

  test("that is full the lock is held, only the pid is missing", async () => {
    using folder = new TemporaryFolder();
    const fill = ': > "$0/lock"; cat /dev/zero > "$0/filler" 2>/dev/null || true';
    const wrapper = mounted(folder.path, "size=16k", fill);
    await using holder = new Fixture("lock-holder.ts", { args: [folder.file("lock")], wrapper });
    expect(await holder.waitFor("locked")).toMatchObject({ pidNotWritten: "ENOSPC" });
  });

  test("that is read-only it can't be had", async () => {
    using folder = new TemporaryFolder();
    const wrapper = mounted(folder.path, "size=16k", 'mount -o remount,ro "$0"');
    await using holder = new Fixture("lock-holder.ts", { args: [folder.file("lock")], wrapper });
    expect(await holder.waitFor("refused")).toMatchObject({ code: "EROFS" });
  });
});
