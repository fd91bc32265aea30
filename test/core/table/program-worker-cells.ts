/** What each event does in each state; see `program-worker.ts` for what the names mean. */
import { type Cells, ignored, to } from "./cell.ts";
import type { ProgramState } from "./program-worker.ts";
import type { WorkerEventName } from "./worker-parts.ts";

export const programWorkerCells: Cells<ProgramState, WorkerEventName> = {
  vacant: {
    workerLaunched: ignored("no worker has this id: its exit was seen first, or its launch was withdrawn"),
    workerLaunchFailed: ignored("no worker has this id: its launch was withdrawn"),
    workerLaunchShort: ignored("no worker has this id: its launch was withdrawn"),
    workerAcked: ignored("its death has been counted; the ack changes nothing"),
    workerExited: ignored("counted already"),
    notDue: ignored("it has no deadline"),
    due: ignored("it has no deadline"),
    stopRequested: to("vacant", ["info: stopping", "TERM to orphans"], {
      why: "there is nobody to wait for",
    }),
    killRequested: to("vacant", [
      "info: stopping",
      "warning: killing everything that is left",
      "KILL to orphans",
    ]),
    signalReceived: to("vacant", ["info: signal passed on"]),
  },
  backingOff: {
    workerLaunched: ignored("no worker has this id: its exit was seen first, or its launch was withdrawn"),
    workerLaunchFailed: ignored("no worker has this id: its launch was withdrawn"),
    workerLaunchShort: ignored("no worker has this id: its launch was withdrawn"),
    workerAcked: ignored("its death has been counted; the ack changes nothing"),
    workerExited: ignored("counted already"),
    notDue: ignored("the timer was early"),
    due: to("requested", ["execute worker"]),
    stopRequested: to("vacant", ["info: stopping", "TERM to orphans"], {
      why: "there is nobody to wait for",
    }),
    killRequested: to("vacant", [
      "info: stopping",
      "warning: killing everything that is left",
      "KILL to orphans",
    ]),
    signalReceived: to("backingOff", ["info: signal passed on"]),
  },
  requested: {
    workerLaunched: to("ready", ["info: worker launched", "info: worker ready", "info: worker set running"], {
      why: "ready when launched",
    }),
    workerLaunchFailed: to("requested", ["error: worker launch failed", "execute worker"], {
      deaths: 1,
      why: "its first death: no delay",
    }),
    workerLaunchShort: to("backingOff", ["error: worker launch put off"], {
      why: "no death: the machine was short of something",
    }),
    workerAcked: ignored("the shells hold an ack back until the pid is known, for they must compare the two"),
    workerExited: to("requested", ["warning: worker died", "execute worker"], {
      deaths: 1,
      why: "the exit overtook the announcement of the pid",
    }),
    notDue: ignored("the timer was early"),
    due: to("abandoned", ["error: worker launch timed out"], {
      deaths: 1,
      why: "its pid may still be announced: the slot is not free",
    }),
    stopRequested: to("abandoned", ["info: stopping"], { why: "its pid may still be announced" }),
    killRequested: to("abandoned", [
      "info: stopping",
      "warning: killing everything that is left",
      "KILL to orphans",
    ]),
    signalReceived: to("requested", ["info: signal passed on"]),
  },
  abandonedLate: {
    workerLaunched: to(
      "stopping",
      ["info: worker launched too late", "TERM to process 201", "info: worker stopping"],
      { why: "it may not stay: its death has been counted" },
    ),
    workerLaunchFailed: to("requested", ["info: worker launch given up", "execute worker"], {
      why: "its death has been counted",
    }),
    workerLaunchShort: to("requested", ["info: worker launch given up", "execute worker"], {
      why: "its death has been counted",
    }),
    workerAcked: ignored("nobody waits for it any more"),
    workerExited: to("requested", ["info: worker launch given up", "execute worker"], {
      why: "its death has been counted",
    }),
    notDue: ignored("it has no deadline"),
    due: ignored("it has no deadline"),
    stopRequested: to("abandoned", ["info: stopping"]),
    killRequested: to("abandoned", [
      "info: stopping",
      "warning: killing everything that is left",
      "KILL to orphans",
    ]),
    signalReceived: to("abandoned", ["info: signal passed on"]),
  },
  abandonedByStop: {
    workerLaunched: to("stopping", [
      "info: worker launched too late",
      "TERM to process 201",
      "info: worker stopping",
    ]),
    workerLaunchFailed: to("vacant", ["info: worker launch given up", "TERM to orphans"]),
    workerLaunchShort: to("vacant", ["info: worker launch given up", "TERM to orphans"]),
    workerAcked: ignored("nobody waits for it any more"),
    workerExited: to("vacant", ["info: worker launch given up", "TERM to orphans"]),
    notDue: ignored("it has no deadline"),
    due: ignored("it has no deadline"),
    stopRequested: to("abandoned", ["warning: killing everything that is left", "KILL to orphans"], {
      why: "the second one",
    }),
    killRequested: to("abandoned", ["warning: killing everything that is left", "KILL to orphans"]),
    signalReceived: to("abandoned", ["info: signal passed on"]),
  },
  ready: {
    workerLaunched: ignored("announced twice: the first announcement holds"),
    workerLaunchFailed: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerLaunchShort: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerAcked: ignored("repeated: harmless"),
    workerExited: to(
      "requested",
      ["warning: worker died", "TERM to group 201", "execute worker", "warning: worker set underprovisioned"],
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
      "KILL to orphans",
    ]),
    signalReceived: to("ready", ["HUP to process 201", "info: signal passed on"]),
  },
  stoppingLate: {
    workerLaunched: ignored("announced twice: the first announcement holds"),
    workerLaunchFailed: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerLaunchShort: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerAcked: ignored("late: the decision that it must go stands"),
    workerExited: to("requested", ["info: worker stopped", "TERM to group 201", "execute worker"], {
      why: "its death was counted when its launch timed out",
    }),
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
      "KILL to orphans",
    ]),
    signalReceived: to("stopping", ["info: signal passed on"], {
      why: "a signal in the middle of its stop could upset it",
    }),
  },
  stoppingByStop: {
    workerLaunched: ignored("announced twice: the first announcement holds"),
    workerLaunchFailed: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerLaunchShort: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerAcked: ignored("late: the decision that it must go stands"),
    workerExited: to("vacant", ["info: worker stopped", "TERM to group 201", "TERM to orphans"], {
      why: "asked to go, so no death",
    }),
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
        "KILL to orphans",
      ],
      { why: "the second one" },
    ),
    killRequested: to("killed", [
      "warning: killing everything that is left",
      "KILL to group 201",
      "KILL to process 201",
      "KILL to orphans",
    ]),
    signalReceived: to("stopping", ["info: signal passed on"], {
      why: "a signal in the middle of its stop could upset it",
    }),
  },
  killed: {
    workerLaunched: ignored("announced twice: the first announcement holds"),
    workerLaunchFailed: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerLaunchShort: ignored("it has a pid, so it was launched; only its exit ends it"),
    workerAcked: ignored("late: the decision that it must go stands"),
    workerExited: to("vacant", ["warning: worker killed", "TERM to group 201", "TERM to orphans"], {
      why: "asked to go, so no death",
    }),
    notDue: ignored("KILL has been sent: there is nothing more to do"),
    due: ignored("KILL has been sent: there is nothing more to do"),
    stopRequested: to("killed", ["warning: killing everything that is left", "KILL to orphans"], {
      why: "the second one; it has got its KILL, and is counted once",
    }),
    killRequested: to("killed", ["warning: killing everything that is left", "KILL to orphans"], {
      why: "it has got its KILL, and is counted once",
    }),
    signalReceived: to("killed", ["info: signal passed on"], {
      why: "a signal in the middle of its stop could upset it",
    }),
  },
};
