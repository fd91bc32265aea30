import { expect, test } from "bun:test";
import { linkSync, unlinkSync, writeFileSync } from "node:fs";
import type { LogEvent } from "../../src/core/log-event.ts";
import { acquireLock } from "../../src/system/lock.ts";
import { SocketGuard } from "../../src/workers/socket-guard.ts";
import { TemporaryFolder } from "../system/support/temporary-folder.ts";

/** A guard whose time passes by hand; plain files stand for sockets. */
class Guarded implements Disposable {
  readonly folder = new TemporaryFolder();
  readonly path = this.folder.file("s.sock");
  readonly said: LogEvent[] = [];
  isAckAwaited = true;
  timer: (() => void) | undefined;
  readonly guard: SocketGuard;

  constructor() {
    writeFileSync(this.path, "first");
    this.guard = new SocketGuard(this.path, acquireLock(`${this.path}.lock`), {
      listenAgain: () => writeFileSync(this.path, "anew", { flag: "wx" }),
      isAckAwaited: () => this.isAckAwaited,
      log: (event) => this.said.push(event),
      setTimer: (callback) => {
        expect(this.timer).toBeUndefined();
        this.timer = callback;
        return () => {
          this.timer = undefined;
        };
      },
    });
  }

  ring(): void {
    const { timer } = this;
    this.timer = undefined;
    timer?.();
  }

  [Symbol.dispose](): void {
    this.guard.release();
    this.folder[Symbol.dispose]();
  }
}

test("it looks again for as long as an ack is awaited, with one timer, and then no more", () => {
  using guarded = new Guarded();
  guarded.guard.watch();
  guarded.guard.watch();
  unlinkSync(guarded.path);
  guarded.ring();
  expect(guarded.said.map(({ message }) => message)).toEqual(["socket was gone: made anew"]);
  guarded.ring();
  guarded.isAckAwaited = false;
  guarded.ring();
  expect(guarded.timer).toBeUndefined();
  expect(guarded.said).toHaveLength(1);
});

test("it is over with the release", () => {
  using guarded = new Guarded();
  guarded.guard.watch();
  guarded.guard.release();
  expect(guarded.timer).toBeUndefined();
});

test("what can't be mended is said once, and again when it has been well in between", () => {
  using guarded = new Guarded();
  // The kernel holds on to the inode of a socket that is open; a link does so here.
  linkSync(guarded.path, `${guarded.path}.link`);
  unlinkSync(guarded.path);
  writeFileSync(guarded.path, "another's");
  guarded.guard.look();
  guarded.guard.look();
  expect(guarded.guard.ownsFile()).toBe(false);
  expect(guarded.said.map(({ level }) => level)).toEqual(["error"]);
  unlinkSync(guarded.path);
  guarded.guard.look();
  expect(guarded.guard.ownsFile()).toBe(true);
  expect(guarded.said.map(({ level }) => level)).toEqual(["error", "warning"]);
});
