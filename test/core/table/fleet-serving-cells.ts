/** What each event does in each state; see `fleet.ts` for what the names mean. */
import { type Cells, ignored, to } from "./cell.ts";
import type { FleetEventName } from "./fleet.ts";

type State = "idle" | "serving" | "draining" | "drainingByFault" | "stoppingWorkers";

export const servingCells: Cells<State, FleetEventName> = {
  idle: {
    started: to("serving", ["start preloader generation 1"]),
    stopRequested: to("sweepingOrphans", ["info: stopping", "TERM to orphans"], {
      why: "there is nobody to wait for but orphans",
    }),
    killRequested: to("killing", [
      "info: stopping",
      "warning: killing everything that is left",
      "KILL to orphans",
    ]),
    signalReceived: to("idle", ["info: signal passed on"], { why: "there is nobody yet" }),
    childrenGone: ignored("nobody has asked"),
    groupGone: ignored("no such stray"),
    notDue: ignored("nothing is due before the start"),
    due: ignored("nothing is due before the start"),
    shutdownTimeout: ignored("there is no stop"),
    lastWorkerExited: ignored("no worker has this id"),
    lastPreloaderExited: ignored("no such generation"),
  },
  serving: {
    started: ignored("once is enough"),
    stopRequested: to("draining", ["info: stopping"]),
    killRequested: to("killing", [
      "info: stopping",
      "warning: killing everything that is left",
      "KILL to group 201",
      "KILL to process 201",
      "KILL to group 101",
      "KILL to process 101",
      "KILL to orphans",
    ]),
    signalReceived: to("serving", ["HUP to process 201", "info: signal passed on"]),
    childrenGone: ignored("nobody has asked"),
    groupGone: ignored("no such stray"),
    notDue: ignored("nothing is due"),
    due: ignored("nothing is due"),
    shutdownTimeout: ignored("there is no stop"),
    lastWorkerExited: to(
      "serving",
      [
        "warning: worker died",
        "TERM to group 201",
        "spawn worker of generation 1",
        "warning: worker set underprovisioned",
      ],
      { deaths: 1 },
    ),
    lastPreloaderExited: to("serving", [
      "error: preloader died",
      "TERM to group 101",
      "start preloader generation 2",
    ]),
  },
  draining: {
    started: ignored("late: a stop stays a stop"),
    stopRequested: to(
      "killing",
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
    killRequested: to("killing", [
      "warning: killing everything that is left",
      "KILL to group 201",
      "KILL to process 201",
      "KILL to group 101",
      "KILL to process 101",
      "KILL to orphans",
    ]),
    signalReceived: to("draining", ["HUP to process 201", "info: signal passed on"]),
    childrenGone: ignored("nobody has asked"),
    groupGone: ignored("no such stray"),
    notDue: ignored("the timer was early"),
    due: to("stoppingWorkers", ["TERM to process 201", "info: worker stopping"]),
    shutdownTimeout: to(
      "killing",
      [
        "warning: killing everything that is left",
        "KILL to group 201",
        "KILL to process 201",
        "KILL to group 101",
        "KILL to process 101",
        "KILL to orphans",
      ],
      { why: "the timer was late: nothing is left of the grace period" },
    ),
    lastWorkerExited: to(
      "stoppingPreloaders",
      ["warning: worker died", "TERM to group 201", "TERM to process 101", "debug: preloader stopping"],
      { deaths: 1, why: "the delay is for a worker's clients; there is none left" },
    ),
    lastPreloaderExited: to("draining", ["error: preloader died", "TERM to group 101"], {
      why: "not started again",
    }),
  },
  drainingByFault: {
    started: ignored("late: a stop stays a stop"),
    stopRequested: to("draining", [], {
      why: "the first that the orchestrator asks for: the stop goes on as it is",
    }),
    killRequested: to("killing", [
      "warning: killing everything that is left",
      "KILL to group 202",
      "KILL to process 202",
      "KILL to group 101",
      "KILL to process 101",
      "KILL to orphans",
    ]),
    signalReceived: to("draining", ["HUP to process 202", "info: signal passed on"]),
    childrenGone: ignored("nobody has asked"),
    groupGone: ignored("no such stray"),
    notDue: ignored("the timer was early"),
    due: to("stoppingWorkers", ["TERM to process 202", "info: worker stopping"]),
    shutdownTimeout: to(
      "killing",
      [
        "warning: killing everything that is left",
        "KILL to group 202",
        "KILL to process 202",
        "KILL to group 101",
        "KILL to process 101",
        "KILL to orphans",
      ],
      { why: "the timer was late: nothing is left of the grace period" },
    ),
    lastWorkerExited: to(
      "stoppingPreloaders",
      ["warning: worker died", "TERM to group 202", "TERM to process 101", "debug: preloader stopping"],
      { deaths: 1, why: "the delay is for a worker's clients; there is none left" },
    ),
    lastPreloaderExited: to("draining", ["error: preloader died", "TERM to group 101"], {
      why: "not started again",
    }),
  },
  stoppingWorkers: {
    started: ignored("late: a stop stays a stop"),
    stopRequested: to(
      "killing",
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
    killRequested: to("killing", [
      "warning: killing everything that is left",
      "KILL to group 201",
      "KILL to process 201",
      "KILL to group 101",
      "KILL to process 101",
      "KILL to orphans",
    ]),
    signalReceived: to("stoppingWorkers", ["info: signal passed on"], {
      why: "a signal in the middle of a stop could upset it",
    }),
    childrenGone: ignored("nobody has asked"),
    groupGone: ignored("no such stray"),
    notDue: to(
      "stoppingWorkers",
      ["warning: worker outlasted its grace period", "KILL to group 201", "KILL to process 201"],
      { why: "the worker's grace period was over long before" },
    ),
    due: to(
      "killing",
      [
        "warning: worker outlasted its grace period",
        "KILL to group 201",
        "KILL to process 201",
        "warning: killing everything that is left",
        "KILL to group 101",
        "KILL to process 101",
        "KILL to orphans",
      ],
      { why: "`shutdown_timeout`; the worker, whose own KILL was late, is killed once" },
    ),
    shutdownTimeout: to(
      "killing",
      [
        "warning: worker outlasted its grace period",
        "KILL to group 201",
        "KILL to process 201",
        "warning: killing everything that is left",
        "KILL to group 101",
        "KILL to process 101",
        "KILL to orphans",
      ],
      { why: "the same" },
    ),
    lastWorkerExited: to("stoppingPreloaders", [
      "info: worker stopped",
      "TERM to group 201",
      "TERM to process 101",
      "debug: preloader stopping",
    ]),
    lastPreloaderExited: to("stoppingWorkers", ["error: preloader died", "TERM to group 101"], {
      why: "not started again",
    }),
  },
};
