/** What each event does in each state; see `fleet.ts` for what the names mean. */
import { type Cells, ignored, to } from "./cell.ts";
import type { FleetEventName } from "./fleet.ts";

type State = "stoppingPreloaders" | "sweepingOrphans" | "killing" | "killingChildless" | "stopped";

export const endingCells: Cells<State, FleetEventName> = {
  stoppingPreloaders: {
    started: ignored("late: a stop stays a stop"),
    stopRequested: to(
      "killing",
      [
        "warning: killing everything that is left",
        "KILL to group 101",
        "KILL to process 101",
        "KILL to orphans",
      ],
      { why: "the second one" },
    ),
    killRequested: to("killing", [
      "warning: killing everything that is left",
      "KILL to group 101",
      "KILL to process 101",
      "KILL to orphans",
    ]),
    signalReceived: to("stoppingPreloaders", ["info: signal passed on"]),
    childrenGone: ignored("nobody has asked"),
    groupGone: ignored("no such stray"),
    notDue: to(
      "stoppingPreloaders",
      ["warning: preloader outlasted its grace period", "KILL to group 101", "KILL to process 101"],
      { why: "the preloader's grace period was over long before" },
    ),
    due: to(
      "killing",
      [
        "warning: preloader outlasted its grace period",
        "KILL to group 101",
        "KILL to process 101",
        "warning: killing everything that is left",
        "KILL to orphans",
      ],
      { why: "`shutdown_timeout`; the preloader, whose own KILL was late, is killed once" },
    ),
    shutdownTimeout: to(
      "killing",
      [
        "warning: preloader outlasted its grace period",
        "KILL to group 101",
        "KILL to process 101",
        "warning: killing everything that is left",
        "KILL to orphans",
      ],
      { why: "the same" },
    ),
    lastWorkerExited: ignored("counted already"),
    lastPreloaderExited: to("sweepingOrphans", [
      "info: preloader stopped",
      "TERM to group 101",
      "TERM to orphans",
    ]),
  },
  sweepingOrphans: {
    started: ignored("late: a stop stays a stop"),
    stopRequested: to("killing", ["warning: killing everything that is left", "KILL to orphans"], {
      why: "the second one",
    }),
    killRequested: to("killing", ["warning: killing everything that is left", "KILL to orphans"]),
    signalReceived: to("sweepingOrphans", ["info: signal passed on"]),
    childrenGone: to("stopped", ["info: stopped", "exit 0"]),
    groupGone: ignored("no such stray"),
    notDue: ignored("the timer was early"),
    due: to("killing", ["warning: killing everything that is left", "KILL to orphans"], {
      why: "`shutdown_timeout`",
    }),
    shutdownTimeout: to("killing", ["warning: killing everything that is left", "KILL to orphans"], {
      why: "the same",
    }),
    lastWorkerExited: ignored("counted already"),
    lastPreloaderExited: ignored("counted already"),
  },
  killing: {
    started: ignored("late: a stop stays a stop"),
    stopRequested: ignored("there is nothing stronger than KILL"),
    killRequested: ignored("there is nothing stronger than KILL"),
    signalReceived: to("killing", ["info: signal passed on"]),
    childrenGone: to("killing", [], { why: "remembered: the exits are still to come" }),
    groupGone: ignored("no such stray"),
    notDue: ignored("the timer was early"),
    due: to(
      "stopped",
      [
        "error: worker could not be reaped after KILL",
        "error: preloader could not be reaped after KILL",
        "warning: stopped",
        "exit 0",
      ],
      { why: "given up: not even KILL has ended them" },
    ),
    shutdownTimeout: to(
      "stopped",
      [
        "error: worker could not be reaped after KILL",
        "error: preloader could not be reaped after KILL",
        "warning: stopped",
        "exit 0",
      ],
      { why: "given up long ago, had the timer not been late" },
    ),
    lastWorkerExited: to("killing", ["warning: worker killed", "TERM to group 201"], {
      why: "the preloader and orphans are still there",
    }),
    lastPreloaderExited: to("killing", ["warning: preloader killed", "TERM to group 101"], {
      why: "the worker and orphans are still there",
    }),
  },
  killingChildless: {
    started: ignored("late: a stop stays a stop"),
    stopRequested: ignored("there is nothing stronger than KILL"),
    killRequested: ignored("there is nothing stronger than KILL"),
    signalReceived: to("killing", ["info: signal passed on"]),
    childrenGone: ignored("known already"),
    groupGone: ignored("no such stray"),
    notDue: ignored("the timer was early"),
    due: to("stopped", ["error: worker could not be reaped after KILL", "warning: stopped", "exit 0"], {
      why: "given up",
    }),
    shutdownTimeout: to(
      "stopped",
      ["KILL to group 101", "error: worker could not be reaped after KILL", "warning: stopped", "exit 0"],
      { why: "given up; the preloader's strays get their KILL on the way" },
    ),
    lastWorkerExited: to(
      "stopped",
      ["warning: worker killed", "TERM to group 201", "warning: stopped", "exit 0"],
      { why: "nobody is left" },
    ),
    lastPreloaderExited: ignored("counted already"),
  },
  stopped: {
    started: ignored("the exit is on its way; nothing matters any more"),
    stopRequested: ignored("the exit is on its way; nothing matters any more"),
    killRequested: ignored("the exit is on its way; nothing matters any more"),
    signalReceived: ignored("the exit is on its way; nothing matters any more"),
    childrenGone: ignored("the exit is on its way; nothing matters any more"),
    groupGone: ignored("the exit is on its way; nothing matters any more"),
    notDue: ignored("the exit is on its way; nothing matters any more"),
    due: ignored("the exit is on its way; nothing matters any more"),
    shutdownTimeout: ignored("the exit is on its way; nothing matters any more"),
    lastWorkerExited: ignored("the exit is on its way; nothing matters any more"),
    lastPreloaderExited: ignored("the exit is on its way; nothing matters any more"),
  },
};
