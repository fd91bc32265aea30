/** What each event does in each state; see `ruby-worker.ts` for what the names mean. */
import { type Cells, ignored, to } from "./cell.ts";
import type { RubyEventName } from "./ruby-worker.ts";

type State = "launched" | "ready" | "stoppingUnacked" | "stoppingByStop" | "killed";

export const goingCells: Cells<State, RubyEventName> = {
  launched: {
    workerLaunched: ignored("announced twice: the first announcement holds"),
    workerLaunchFailed: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerLaunchShort: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerAcked: to("ready", ["info: worker ready", "info: worker set running"]),
    workerExited: to(
      "requested",
      ["warning: worker died", "TERM to group 201", "spawn worker of generation 1"],
      { deaths: 1, why: "its first death: no delay" },
    ),
    notDue: ignored("the timer was early"),
    due: to(
      "stopping",
      ["error: worker did not ack in time", "TERM to process 201", "info: worker stopping"],
      { deaths: 1, why: "the death is counted now; the slot is used again when it is gone" },
    ),
    stopRequested: to("stopping", ["info: stopping", "TERM to process 201", "info: worker stopping"]),
    killRequested: to("killed", [
      "info: stopping",
      "warning: killing everything that is left",
      "KILL to group 201",
      "KILL to process 201",
      "KILL to group 101",
      "KILL to process 101",
      "KILL to orphans",
    ]),
    signalReceived: to("launched", ["HUP to process 201", "info: signal passed on"]),
    preloaderReady: ignored("it is ready already"),
    preloaderExited: to(
      "launched",
      ["error: preloader died", "TERM to group 101", "start preloader generation 2"],
      { why: "its workers are left alone" },
    ),
  },
  ready: {
    workerLaunched: ignored("announced twice: the first announcement holds"),
    workerLaunchFailed: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerLaunchShort: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerAcked: ignored("repeated: harmless"),
    workerExited: to(
      "requested",
      [
        "warning: worker died",
        "TERM to group 201",
        "spawn worker of generation 1",
        "warning: worker set underprovisioned",
      ],
      { deaths: 1, why: "its first death: no delay" },
    ),
    notDue: ignored("it has no deadline"),
    due: ignored("it has no deadline"),
    stopRequested: to("stopping", ["info: stopping", "TERM to process 201", "info: worker stopping"]),
    killRequested: to("killed", [
      "info: stopping",
      "warning: killing everything that is left",
      "KILL to group 201",
      "KILL to process 201",
      "KILL to group 101",
      "KILL to process 101",
      "KILL to orphans",
    ]),
    signalReceived: to("ready", ["HUP to process 201", "info: signal passed on"]),
    preloaderReady: ignored("it is ready already"),
    preloaderExited: to(
      "ready",
      ["error: preloader died", "TERM to group 101", "start preloader generation 2"],
      { why: "its workers are left alone" },
    ),
  },
  stoppingUnacked: {
    workerLaunched: ignored("announced twice: the first announcement holds"),
    workerLaunchFailed: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerLaunchShort: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerAcked: ignored("late: the decision that it must go stands"),
    workerExited: to(
      "requested",
      ["info: worker stopped", "TERM to group 201", "spawn worker of generation 1"],
      { why: "its death was counted when its ack timed out" },
    ),
    notDue: ignored("the timer was early"),
    due: to("killed", [
      "warning: worker outlasted its grace period",
      "KILL to group 201",
      "KILL to process 201",
    ]),
    stopRequested: to("stopping", ["info: stopping"], { why: "its grace period goes on" }),
    killRequested: to("killed", [
      "info: stopping",
      "warning: killing everything that is left",
      "KILL to group 201",
      "KILL to process 201",
      "KILL to group 101",
      "KILL to process 101",
      "KILL to orphans",
    ]),
    signalReceived: to("stopping", ["info: signal passed on"], {
      why: "a signal in the middle of its stop could upset it",
    }),
    preloaderReady: ignored("it is ready already"),
    preloaderExited: to(
      "stopping",
      ["error: preloader died", "TERM to group 101", "start preloader generation 2"],
      { why: "its workers are left alone" },
    ),
  },
  stoppingByStop: {
    workerLaunched: ignored("announced twice: the first announcement holds"),
    workerLaunchFailed: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerLaunchShort: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerAcked: ignored("late: the decision that it must go stands"),
    workerExited: to(
      "vacant",
      ["info: worker stopped", "TERM to group 201", "TERM to process 101", "debug: preloader stopping"],
      { why: "asked to go, so no death; the preloader is next" },
    ),
    notDue: ignored("the timer was early"),
    due: to("killed", [
      "warning: worker outlasted its grace period",
      "KILL to group 201",
      "KILL to process 201",
    ]),
    stopRequested: to(
      "killed",
      [
        "warning: killing everything that is left",
        "KILL to group 201",
        "KILL to process 201",
        "KILL to group 101",
        "KILL to process 101",
        "KILL to orphans",
      ],
      { why: "the second one" },
    ),
    killRequested: to("killed", [
      "warning: killing everything that is left",
      "KILL to group 201",
      "KILL to process 201",
      "KILL to group 101",
      "KILL to process 101",
      "KILL to orphans",
    ]),
    signalReceived: to("stopping", ["info: signal passed on"], {
      why: "a signal in the middle of its stop could upset it",
    }),
    preloaderReady: ignored("it is ready already"),
    preloaderExited: to("stopping", ["error: preloader died", "TERM to group 101"]),
  },
  killed: {
    workerLaunched: ignored("announced twice: the first announcement holds"),
    workerLaunchFailed: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerLaunchShort: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerAcked: ignored("late: the decision that it must go stands"),
    workerExited: to(
      "requested",
      ["warning: worker killed", "TERM to group 201", "spawn worker of generation 1"],
      { why: "its death was counted when its ack timed out" },
    ),
    notDue: ignored("KILL has been sent: there is nothing more to do"),
    due: ignored("KILL has been sent: there is nothing more to do"),
    stopRequested: to("killed", ["info: stopping"], { why: "it has got its KILL" }),
    killRequested: to(
      "killed",
      [
        "info: stopping",
        "warning: killing everything that is left",
        "KILL to group 101",
        "KILL to process 101",
        "KILL to orphans",
      ],
      { why: "it has got its KILL, and is counted once" },
    ),
    signalReceived: to("killed", ["info: signal passed on"], {
      why: "a signal in the middle of its stop could upset it",
    }),
    preloaderReady: ignored("it is ready already"),
    preloaderExited: to(
      "killed",
      ["error: preloader died", "TERM to group 101", "start preloader generation 2"],
      { why: "its workers are left alone" },
    ),
  },
};
