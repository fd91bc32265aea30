import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { errorCode } from "../../src/error-code.ts";
import { setCloseOnExec } from "../../src/system/descriptors.ts";
import { expectAnswer, fcntl, getpgid, getppid, kill, syscall, waitid } from "../../src/system/libc.ts";
import { limitOpenFiles, readOpenFileLimits } from "../../src/system/limits.ts";
import { createMemoryFile } from "../../src/system/memory-file.ts";
import { errnoName, OperatingSystemError } from "../../src/system/operating-system-error.ts";

const nobody = 0x3fffffff; // no pid: beyond the kernel's highest

test("errno is that of the call, whatever Bun does around it", () => {
  const information = new Uint8Array(128);
  const calls = [
    { call: () => kill(nobody, 0), code: "ESRCH" },
    { call: () => fcntl(-1, 1, 0), code: "EBADF" },
    { call: () => waitid(1, nobody, information, 5), code: "ECHILD" },
    { call: () => waitid(0, 0, information, 0), code: "EINVAL" },
  ];
  const garbage: unknown[] = [];
  let wrong = 0;
  for (let i = 0; i < 200_000; i++) {
    // Garbage collections and compilations of this very loop are what could come in between.
    garbage.push({ text: `${i}` });
    if (garbage.length > 20_000) garbage.length = 0;
    for (const { call, code } of calls) {
      const answer = call();
      if (answer.ok || answer.code !== code) wrong++;
    }
  }
  expect(wrong).toBe(0);
});

test("what works gives its value, also after a failure", () => {
  expect(kill(nobody, 0).ok).toBe(false);
  expect(kill(process.pid, 0)).toEqual({ ok: true, value: 0 });
  expect(getpgid(nobody)).toEqual({ ok: false, code: "ESRCH" });
  expect(getpgid(0)).toMatchObject({ ok: true });
  expect(getppid()).toBe(process.ppid);
});

test("a failure that nobody expects becomes an error with its code and system call", () => {
  const attempt = () => expectAnswer(kill(nobody, 0), "kill", "of nobody");
  expect(attempt).toThrow(OperatingSystemError);
  expect(attempt).toThrow("kill: ESRCH, of nobody");
  const noSuchCall = syscall(100_000, 0, 0, 0);
  expect(() => expectAnswer(noSuchCall, "none", "")).toThrow("none: ENOSYS");
});

test("errno has the name that the manuals use, or else its number", () => {
  expect(errnoName(11)).toBe("EAGAIN");
  expect(errnoName(95)).toBe("ENOTSUP");
  expect(errnoName(2)).toBe("ENOENT");
  expect(errnoName(4000)).toBe("E4000");
});

test("only an error's own code counts", () => {
  expect(errorCode({ code: "ENOENT" })).toBeUndefined();
  expect(errorCode(new Error("no code"))).toBeUndefined();
  expect(errorCode(Object.assign(new Error("a code"), { code: 7 }))).toBeUndefined();
  expect(errorCode(new OperatingSystemError("EPERM", "open", ""))).toBe("EPERM");
});

test("descriptors are told to survive an exec or not", () => {
  const descriptor = openSync("/dev/null", "r");
  const getFlags = 1;
  expect(setCloseOnExec(descriptor, false)).toBe(true);
  expect(fcntl(descriptor, getFlags, 0)).toEqual({ ok: true, value: 0 });
  expect(setCloseOnExec(descriptor, true)).toBe(true);
  expect(fcntl(descriptor, getFlags, 0)).toEqual({ ok: true, value: 1 });
  closeSync(descriptor);
  expect(setCloseOnExec(descriptor, true)).toBe(false);
});

test("the soft limit of open files can be set up to the hard one, which stays", () => {
  const before = readOpenFileLimits();
  try {
    limitOpenFiles(100);
    expect(readOpenFileLimits()).toEqual({ soft: 100, hard: before.hard });
    limitOpenFiles(2 ** 40);
    expect(readOpenFileLimits()).toEqual({ soft: Math.min(before.hard, 2 ** 40), hard: before.hard });
  } finally {
    limitOpenFiles(before.soft);
  }
});

test("a memory file is close-on-exec and can't be changed any more", () => {
  const descriptor = createMemoryFile("a-test", Buffer.from("content"));
  try {
    const getSeals = 1034;
    expect(fcntl(descriptor, 1, 0)).toEqual({ ok: true, value: 1 });
    expect(fcntl(descriptor, getSeals, 0)).toEqual({ ok: true, value: 15 });
  } finally {
    closeSync(descriptor);
  }
});
