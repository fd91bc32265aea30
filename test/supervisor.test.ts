import { describe, expect, test } from "bun:test";
import type { AckReply } from "../src/acks.ts";
import type { FleetLimits } from "../src/core/fleet.ts";
import { type Ports, Supervisor } from "../src/supervisor.ts";
import { fleetLimits, programLimits, restartLimits, rubyLimits } from "./core/support/limits.ts";

/** Ports that write down what they were asked for; each test gives those that matter to it a behaviour. */
class Stage {
  readonly asked: string[] = [];
  readonly alarms: (number | undefined)[] = [];
  readonly supervisor: Supervisor;
  nowMs = 1000;
  livingGroups = new Set<number>();
  descendants = new Set<string>();
  onLaunch: (id: string) => void = () => {};

  constructor(limits: FleetLimits) {
    this.supervisor = new Supervisor(limits, this.#ports(), "w", 7);
  }

  #ports(): Ports {
    const note = (line: string) => void this.asked.push(line);
    return {
      nowMs: () => this.nowMs,
      setAlarm: (atMs) => void this.alarms.push(atMs),
      executeWorker: ({ id }) => {
        note(`execute ${id}`);
        this.onLaunch(id);
      },
      spawnWorker: ({ id, generation, timeoutMs }) => note(`spawn ${id} of ${generation} in ${timeoutMs}`),
      startPreloader: (ref) => note(`start ${JSON.stringify(ref)}`),
      signalProcess: (pid, signal) => note(`${signal} to ${pid}`),
      signalGroup: (pgid, signal) => {
        note(`${signal} to group ${pgid}`);
        return this.livingGroups.has(pgid) ? "sent" : "gone";
      },
      sweepOrphans: (signal) => note(`${signal} to orphans`),
      isSelfOrDescendant: (peer, worker) => peer === worker || this.descendants.has(`${peer} of ${worker}`),
      log: ({ message }) => note(message),
      exit: (code) => note(`exit ${code}`),
    };
  }

  start(): void {
    this.supervisor.post({ type: "started" });
  }

  launch(id: string, pid: number): void {
    this.supervisor.post({ type: "workerLaunched", id, pid });
  }

  exit(id: string): void {
    this.supervisor.post({ type: "workerExited", id, exit: { kind: "exited", code: 1 } });
  }

  ack(id: string, peerPid: number): AckReply[] {
    const replies: AckReply[] = [];
    this.supervisor.offerAck(id, peerPid, (reply) => replies.push(reply));
    return replies;
  }

  phase(slot = 0): string | undefined {
    return this.supervisor.fleet.sets[0]?.slots[slot]?.occupant.phase;
  }
}

const acking = programLimits({ needsAck: true, ackTimeoutMs: 12_000 });

describe("the queue", () => {
  test("decides what an effect posts only after all effects of the event before", () => {
    const stage = new Stage(fleetLimits([programLimits({ count: 2 })]));
    stage.onLaunch = (id) => stage.launch(id, 300);
    stage.start();
    expect(stage.asked).toEqual([
      "execute w-1",
      "execute w-2",
      "worker launched",
      "worker ready",
      "worker launched",
      "worker ready",
      "worker set running",
    ]);
  });

  test("keeps the order in which facts come, however deep", () => {
    const stage = new Stage(fleetLimits([programLimits()]));
    stage.onLaunch = (id) => {
      stage.launch(id, 300);
      if (id === "w-1") stage.exit(id);
    };
    stage.start();
    expect(stage.asked).toEqual([
      "execute w-1",
      "worker launched",
      "worker ready",
      "worker set running",
      "worker died",
      "SIGTERM to group 300",
      "execute w-2",
      "worker set underprovisioned",
      "worker launched",
      "worker ready",
      "worker set running",
    ]);
    expect(stage.phase()).toBe("ready");
  });

  test("survives a launch that fails at once, again and again, without growing the stack", () => {
    const restart = { ...restartLimits, intensity: 5000, backoffMs: 0 };
    const stage = new Stage(fleetLimits([programLimits({ restart })]));
    stage.onLaunch = (id) =>
      stage.supervisor.post({ type: "workerLaunchFailed", id, message: "no such file" });
    stage.start();
    expect(stage.asked.filter((line) => line.startsWith("execute"))).toHaveLength(5001);
    expect(stage.supervisor.verdict().live).toBe(false);
  });

  test("is not blocked for ever by a port that throws", () => {
    const stage = new Stage(fleetLimits([programLimits()]));
    stage.onLaunch = () => {
      throw new Error("a mistake of ours");
    };
    expect(() => stage.start()).toThrow("a mistake of ours");
    stage.launch("w-1", 300);
    expect(stage.phase()).toBe("ready");
  });
});

describe("effects", () => {
  test("reach their ports with what they need", () => {
    const stage = new Stage(fleetLimits([rubyLimits()]));
    const { supervisor } = stage;
    stage.start();
    supervisor.post({ type: "preloaderLaunched", preloader: 0, generation: 1, pid: 101 });
    supervisor.post({ type: "preloaderReady", preloader: 0, generation: 1 });
    stage.launch("w-1", 201);
    supervisor.post({ type: "killRequested", signal: "SIGQUIT" });
    stage.exit("w-1");
    supervisor.post({
      type: "preloaderExited",
      preloader: 0,
      generation: 1,
      exit: { kind: "signaled", signal: 9 },
    });
    supervisor.post({ type: "childrenGone" });
    expect(stage.asked.filter((line) => !/^(worker|preloader|stop|kill)/.test(line))).toEqual([
      'start {"preloader":0,"generation":1}',
      "spawn w-1 of 1 in 24000",
      "SIGKILL to group 201",
      "SIGKILL to 201",
      "SIGKILL to group 101",
      "SIGKILL to 101",
      "SIGKILL to orphans",
      "SIGTERM to group 201",
      "SIGTERM to group 101",
      "exit 0",
    ]);
  });

  test("after the exit there are none", () => {
    const stage = new Stage(fleetLimits([programLimits()]));
    stage.supervisor.post({ type: "stopRequested", signal: "SIGTERM" });
    stage.supervisor.post({ type: "childrenGone" });
    const before = stage.asked.length;
    stage.start();
    stage.launch("w-1", 201);
    stage.supervisor.post({ type: "stopRequested", signal: "SIGTERM" });
    expect(stage.asked).toHaveLength(before);
    expect(stage.alarms.at(-1)).toBeUndefined();
  });
});

describe("a group without a process", () => {
  const begin = () => {
    const stage = new Stage(fleetLimits([programLimits()]));
    stage.start();
    stage.launch("w-1", 201);
    return stage;
  };

  test("is forgotten at once", () => {
    const stage = begin();
    stage.exit("w-1");
    expect(stage.supervisor.fleet.strays).toEqual([]);
  });

  test("one with a process gets KILL when its time has come, and is then forgotten", () => {
    const stage = begin();
    stage.livingGroups.add(201);
    stage.exit("w-1");
    stage.launch("w-2", 202);
    expect(stage.alarms.at(-1)).toBe(6000);
    stage.nowMs = 6000;
    stage.supervisor.post({ type: "deadlineReached" });
    expect(stage.asked.at(-1)).toBe("SIGKILL to group 201");
    expect(stage.supervisor.fleet.strays).toEqual([]);
  });
});

describe("the alarm", () => {
  const begin = () => {
    const stage = new Stage(fleetLimits([acking]));
    stage.start();
    return stage;
  };

  test("is set for the next deadline, and only when that changes", () => {
    const stage = begin();
    expect(stage.alarms).toEqual([31_000]);
    stage.supervisor.post({ type: "signalReceived", signal: "SIGHUP" });
    expect(stage.alarms).toEqual([31_000]);
    stage.launch("w-1", 201);
    expect(stage.alarms).toEqual([31_000, 13_000]);
    stage.supervisor.post({ type: "workerAcked", id: "w-1" });
    expect(stage.alarms).toEqual([31_000, 13_000, undefined]);
  });

  test("is set again for the same time when it went off too early", () => {
    const stage = begin();
    stage.nowMs = 30_999.6;
    stage.supervisor.post({ type: "deadlineReached" });
    expect(stage.alarms).toEqual([31_000, 31_000]);
    stage.nowMs = 31_000;
    stage.supervisor.post({ type: "deadlineReached" });
    expect(stage.phase()).toBe("abandoned");
    expect(stage.alarms).toEqual([31_000, 31_000]); // Nothing is due now, and the alarm has gone off.
  });

  test("is set once after many events that one brought about", () => {
    const stage = new Stage(fleetLimits([acking]));
    stage.onLaunch = (id) => stage.launch(id, 201);
    stage.start();
    expect(stage.alarms).toEqual([13_000]);
  });

  test("that goes off while an event is decided is not lost", () => {
    const stage = new Stage(fleetLimits([acking]));
    stage.onLaunch = () => stage.supervisor.post({ type: "deadlineReached" });
    stage.start();
    expect(stage.alarms).toEqual([31_000]);
  });
});

describe("acks", () => {
  const begin = () => {
    const stage = new Stage(fleetLimits([acking]));
    stage.start();
    return stage;
  };

  test("of the worker and of its descendants count", () => {
    for (const peer of [201, 999]) {
      const stage = begin();
      stage.descendants.add("999 of 201");
      stage.launch("w-1", 201);
      expect(stage.ack("w-1", peer)).toEqual([{ kind: "accepted" }]);
      expect(stage.phase()).toBe("ready");
    }
  });

  test("that come before the pid are answered when it is known", () => {
    const stage = begin();
    const own = stage.ack("w-1", 201);
    const foreign = stage.ack("w-1", 777);
    expect([own, foreign]).toEqual([[], []]);
    stage.launch("w-1", 201);
    expect(own).toEqual([{ kind: "accepted" }]);
    expect(foreign).toMatchObject([{ kind: "refused", isForeign: true }]);
    expect(stage.phase()).toBe("ready");
  });

  test("that wait are refused when the launch is given up", () => {
    const stage = begin();
    const replies = stage.ack("w-1", 201);
    stage.supervisor.post({ type: "stopRequested", signal: "SIGTERM" });
    expect(replies).toMatchObject([{ kind: "refused", isForeign: false }]);
  });

  test("that wait are refused when the launch has failed, and the next worker's is not", () => {
    const stage = begin();
    const replies = stage.ack("w-1", 201);
    stage.supervisor.post({ type: "workerLaunchFailed", id: "w-1", message: "EAGAIN" });
    expect(replies).toMatchObject([{ kind: "refused", isForeign: false }]);
    stage.launch("w-2", 202);
    expect(stage.ack("w-2", 202)).toEqual([{ kind: "accepted" }]);
  });

  test("for ids that never were are a stranger's", () => {
    expect(begin().ack("w-2", 201)).toMatchObject([{ kind: "refused", isForeign: true }]);
  });
});

describe("what a worker's expression raised", () => {
  const report = { id: "w-1", message: "no such table", error: "app.rb:1" };
  const begin = () => {
    const stage = new Stage(fleetLimits([acking]));
    stage.start();
    return stage;
  };

  test("is logged when it comes from that worker", () => {
    const stage = begin();
    stage.launch("w-1", 201);
    expect(stage.supervisor.takeWorkerError(201, report)).toBe(true);
    expect(stage.asked.at(-1)).toBe("worker raised an error");
  });

  test("is not when it comes from another process, or names a worker that never was", () => {
    const stage = begin();
    stage.launch("w-1", 201);
    expect(stage.supervisor.takeWorkerError(777, report)).toBe(false);
    expect(stage.supervisor.takeWorkerError(201, { ...report, id: "w-9" })).toBe(false);
    expect(stage.asked).not.toContain("worker raised an error");
  });

  test("may come before the pid is known, or after the exit", () => {
    const stage = begin();
    expect(stage.supervisor.takeWorkerError(201, report)).toBe(true);
    stage.launch("w-1", 201);
    stage.exit("w-1");
    expect(stage.supervisor.takeWorkerError(201, report)).toBe(true);
  });
});

test("the verdict is that of the present moment", () => {
  const stage = new Stage(fleetLimits([programLimits()]));
  expect(stage.supervisor.verdict()).toMatchObject({ overall: false, name: "shop" });
  stage.start();
  stage.launch("w-1", 201);
  stage.exit("w-1");
  stage.nowMs = 3000;
  expect(stage.supervisor.verdict().sets).toMatchObject([{ lastDeath: { cause: "status 1", agoMs: 2000 } }]);
});
