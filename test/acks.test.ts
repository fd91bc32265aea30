import { describe, expect, test } from "bun:test";
import { AckDesk, type AckReply } from "../src/acks.ts";
import type { Worker } from "../src/core/worker.ts";

const requested: Worker = {
  phase: "requested",
  id: "w-1",
  requestedAtMs: 0,
  deadlineMs: 30_000,
  generation: 1,
};
const launched: Worker = {
  phase: "launched",
  id: "w-1",
  pid: 201,
  launchedAtMs: 5,
  ackDeadlineMs: undefined,
};
const ready: Worker = { phase: "ready", id: "w-1", pid: 201, launchedAtMs: 5, readyAtMs: 6 };
const abandoned: Worker = {
  phase: "abandoned",
  id: "w-1",
  requestedAtMs: 0,
  generation: 1,
  cause: "late launch",
};
const stopping: Worker = {
  phase: "stopping",
  id: "w-1",
  pid: 201,
  launchedAtMs: 5,
  sinceMs: 7,
  cause: "shutdown",
  killAtMs: 10,
};

/** A desk for one worker, whose state the test sets. */
class Counter {
  worker: Worker | undefined;
  readonly accepted: string[] = [];
  readonly replies: AckReply[] = [];
  readonly desk: AckDesk;

  constructor(worker: Worker | undefined, issued: readonly string[] = ["w-1"]) {
    this.worker = worker;
    this.desk = new AckDesk({
      find: (id) => (this.worker?.id === id ? this.worker : undefined),
      wasIssued: (id) => issued.includes(id),
      isSelfOrDescendant: (peer, pid) => peer === pid || peer === pid + 1000,
      accept: (id) => void this.accepted.push(id),
    });
  }

  offer(peerPid: number, id = "w-1"): void {
    this.desk.offer(id, peerPid, (reply) => this.replies.push(reply));
  }

  become(worker: Worker | undefined): void {
    this.worker = worker;
    this.desk.reconsider();
  }
}

describe("an ack is accepted", () => {
  test.each([
    ["of the worker itself", 201],
    ["of a descendant", 1201],
  ])("%s", (_who, peerPid) => {
    const counter = new Counter(launched);
    counter.offer(peerPid);
    expect(counter.replies).toEqual([{ kind: "accepted" }]);
    expect(counter.accepted).toEqual(["w-1"]);
  });

  test("again when it is repeated, or comes from a worker that need not ack", () => {
    const counter = new Counter(ready);
    counter.offer(201);
    counter.offer(201);
    expect(counter.replies).toEqual([{ kind: "accepted" }, { kind: "accepted" }]);
  });
});

describe("an ack is refused", () => {
  test.each([
    ["of a stranger, for a worker that waits for it", launched, 777, true],
    ["of a stranger, for a worker that is ready", ready, 777, true],
    ["of a stranger, for a worker that is stopping", stopping, 777, true],
    ["of a worker that is stopping: ordinary", stopping, 201, false],
    ["for a launch that was given up: ordinary", abandoned, 201, false],
    ["of a worker that is gone: ordinary", undefined, 201, false],
  ])("%s", (_why, worker, peerPid, isForeign) => {
    const counter = new Counter(worker);
    counter.offer(peerPid);
    expect(counter.replies).toMatchObject([{ kind: "refused", isForeign }]);
    expect(counter.accepted).toEqual([]);
  });

  test("for a worker that never was: a stranger's", () => {
    const counter = new Counter(launched);
    counter.offer(201, "w-2");
    expect(counter.replies).toMatchObject([{ kind: "refused", isForeign: true }]);
  });

  test("with a reason that names the process", () => {
    const counter = new Counter(launched);
    counter.offer(777);
    expect(counter.replies).toMatchObject([{ reason: expect.stringContaining("process 777") }]);
  });
});

describe("an ack that overtakes the announcement of the pid", () => {
  test("waits, whatever else happens, until there is a pid to compare it with", () => {
    const counter = new Counter(requested);
    counter.offer(201);
    counter.desk.reconsider();
    counter.desk.reconsider();
    expect(counter.replies).toEqual([]);
    counter.become(launched);
    expect(counter.replies).toEqual([{ kind: "accepted" }]);
    expect(counter.accepted).toEqual(["w-1"]);
  });

  test.each([
    ["the worker is somebody else", { ...launched, pid: 300 }, true],
    ["the launch is given up", abandoned, false],
    ["the worker is gone before its pid was known", undefined, false],
    ["the worker is already asked to go", stopping, false],
  ])("is refused when %s", (_why, worker, isForeign) => {
    const counter = new Counter(requested);
    counter.offer(201);
    counter.become(worker);
    expect(counter.replies).toMatchObject([{ kind: "refused", isForeign }]);
    expect(counter.accepted).toEqual([]);
  });

  test("is answered once only", () => {
    const counter = new Counter(requested);
    counter.offer(201);
    counter.become(launched);
    counter.become(ready);
    expect(counter.replies).toHaveLength(1);
  });

  test("is not kept from its worker by a pretender who came first", () => {
    const counter = new Counter(requested);
    counter.offer(777);
    counter.offer(201);
    counter.become(launched);
    expect(counter.replies).toMatchObject([{ kind: "refused", isForeign: true }, { kind: "accepted" }]);
  });

  test("finds no room beside eight others: what waits is bounded", () => {
    const counter = new Counter(requested);
    for (let peer = 1; peer <= 8; peer += 1) counter.offer(peer);
    expect(counter.replies).toEqual([]);
    for (let peer = 9; peer <= 1000; peer += 1) counter.offer(peer);
    expect(counter.replies).toHaveLength(992);
    expect(counter.replies.every((reply) => reply.kind === "refused" && reply.isForeign)).toBe(true);
  });

  test("leaves room for the next when it has been answered", () => {
    const counter = new Counter(requested);
    for (let peer = 1; peer <= 8; peer += 1) counter.offer(peer);
    counter.become(undefined);
    expect(counter.replies).toHaveLength(8);
    counter.become(requested);
    counter.offer(201);
    expect(counter.replies).toHaveLength(8);
  });
});

test("a reply that offers the next ack does not upset the others", () => {
  const counter = new Counter(requested);
  counter.desk.offer("w-1", 201, () => counter.offer(201));
  counter.offer(1201);
  counter.become(launched);
  expect(counter.replies).toEqual([{ kind: "accepted" }, { kind: "accepted" }]);
  expect(counter.accepted).toEqual(["w-1", "w-1", "w-1"]);
});
