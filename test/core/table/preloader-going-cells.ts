/** What each event does in each state; see `preloader.ts` for what the names mean. */
import { type Cells, ignored, to } from "./cell.ts";
import type { PreloaderEventName } from "./preloader.ts";

type State = "stoppingLate" | "stoppingByStop" | "killed" | "retiredByFault" | "retiredByStop";

export const goingCells: Cells<State, PreloaderEventName> = {
  stoppingLate: {
    preloaderLaunched: ignored("announced twice: the first announcement holds"),
    preloaderLaunchFailed: ignored("it has a pid, so it was launched"),
    preloaderLaunchShort: ignored("it has a pid, so it was launched"),
    preloaderConnected: to("stopping", ["TERM to process 102"], {
      why: "Ruby may have lost the first TERM while it started",
    }),
    preloaderReady: ignored("late: the decision that it must go stands"),
    preloaderFailed: to("stopping", ["error: preloader could not load the code"], {
      why: "the answer to its TERM: where it hung",
    }),
    preloaderDisconnected: ignored("it is going already"),
    preloaderGone: to("gone", ["TERM to group 102"], { why: "what it wrote is still to be read" }),
    preloaderExited: to(
      "requested",
      ["error: preloader died", "TERM to group 102", "start preloader generation 3"],
      { deaths: 1, why: "the failures before are a whole period ago: no delay" },
    ),
    stale: ignored("an earlier generation"),
    notDue: ignored("the timer was early"),
    due: to("killed", [
      "warning: preloader outlasted its grace period",
      "KILL to group 102",
      "KILL to process 102",
    ]),
    lastSetFaulted: to(
      "stopping",
      ["warning: worker died", "critical: worker set faulted", "TERM to group 201"],
      { why: "it goes on going, and is not started again" },
    ),
    stopRequested: to("stopping", ["info: stopping", "TERM to process 201", "info: worker stopping"], {
      why: "its grace period goes on",
    }),
    killRequested: to("killed", [
      "info: stopping",
      "warning: killing everything that is left",
      "KILL to group 201",
      "KILL to process 201",
      "KILL to group 102",
      "KILL to process 102",
      "KILL to orphans",
    ]),
    signalReceived: to("stopping", ["HUP to process 201", "info: signal passed on"]),
  },
  stoppingByStop: {
    preloaderLaunched: ignored("announced twice: the first announcement holds"),
    preloaderLaunchFailed: ignored("it has a pid, so it was launched"),
    preloaderLaunchShort: ignored("it has a pid, so it was launched"),
    preloaderConnected: to("stopping", ["TERM to process 102"], {
      why: "Ruby may have lost the first TERM while it started",
    }),
    preloaderReady: ignored("late: the decision that it must go stands"),
    preloaderFailed: to("stopping", ["info: preloader could not load the code"], {
      why: "the answer to its TERM, and no error",
    }),
    preloaderDisconnected: ignored("it is going already"),
    preloaderGone: to("gone", ["TERM to group 102"], { why: "what it wrote is still to be read" }),
    preloaderExited: to("retired", ["info: preloader stopped", "TERM to group 102"], {
      why: "asked to go, so no failure",
    }),
    stale: ignored("an earlier generation"),
    notDue: ignored("the timer was early"),
    due: to("killed", [
      "warning: preloader outlasted its grace period",
      "KILL to group 102",
      "KILL to process 102",
    ]),
    lastSetFaulted: to("stopping", ["info: worker stopped", "TERM to group 201"], {
      why: "asked to go, so no death",
    }),
    stopRequested: to(
      "killed",
      [
        "warning: killing everything that is left",
        "KILL to group 201",
        "KILL to process 201",
        "KILL to group 102",
        "KILL to process 102",
        "KILL to orphans",
      ],
      { why: "the second one" },
    ),
    killRequested: to("killed", [
      "warning: killing everything that is left",
      "KILL to group 201",
      "KILL to process 201",
      "KILL to group 102",
      "KILL to process 102",
      "KILL to orphans",
    ]),
    signalReceived: to("stopping", ["info: signal passed on"]),
  },
  killed: {
    preloaderLaunched: ignored("announced twice: the first announcement holds"),
    preloaderLaunchFailed: ignored("it has a pid, so it was launched"),
    preloaderLaunchShort: ignored("it has a pid, so it was launched"),
    preloaderConnected: ignored("KILL has been sent: there is nothing more to do"),
    preloaderReady: ignored("late: the decision that it must go stands"),
    preloaderFailed: to("killed", ["error: preloader could not load the code"], {
      why: "worth its line, whenever it comes",
    }),
    preloaderDisconnected: ignored("it is going already"),
    preloaderGone: to("gone", ["TERM to group 102"], { why: "what it wrote is still to be read" }),
    preloaderExited: to(
      "requested",
      ["error: preloader died", "TERM to group 102", "start preloader generation 3"],
      { deaths: 1, why: "the failures before are a whole period ago: no delay" },
    ),
    stale: ignored("an earlier generation"),
    notDue: ignored("KILL has been sent: there is nothing more to do"),
    due: ignored("KILL has been sent: there is nothing more to do"),
    lastSetFaulted: to(
      "killed",
      ["warning: worker died", "critical: worker set faulted", "TERM to group 201"],
      { why: "it goes on going, and is not started again" },
    ),
    stopRequested: to("killed", ["info: stopping", "TERM to process 201", "info: worker stopping"], {
      why: "it has got its KILL",
    }),
    killRequested: to(
      "killed",
      [
        "info: stopping",
        "warning: killing everything that is left",
        "KILL to group 201",
        "KILL to process 201",
        "KILL to orphans",
      ],
      { why: "it has got its KILL, and is counted once" },
    ),
    signalReceived: to("killed", ["HUP to process 201", "info: signal passed on"]),
  },
  retiredByFault: {
    preloaderLaunched: ignored("its launch has been answered"),
    preloaderLaunchFailed: ignored("its failure has been counted"),
    preloaderLaunchShort: ignored("its failure has been counted"),
    preloaderConnected: ignored("there is no process that could connect"),
    preloaderReady: ignored("there is no process that could be ready"),
    preloaderFailed: to("retired", ["error: preloader could not load the code"], {
      why: "late, but worth its line",
    }),
    preloaderDisconnected: ignored("there is no process to stop"),
    preloaderGone: ignored("there is no process that could be gone"),
    preloaderExited: ignored("its failure has been counted"),
    stale: ignored("an earlier generation"),
    notDue: ignored("it has no deadline"),
    due: ignored("it has no deadline: a preloader that nobody needs is not started again"),
    lastSetFaulted: ignored("counted already"),
    stopRequested: to("retired", ["info: stopping", "TERM to orphans"], {
      why: "there is nobody to wait for",
    }),
    killRequested: to("retired", [
      "info: stopping",
      "warning: killing everything that is left",
      "KILL to orphans",
    ]),
    signalReceived: to("retired", ["info: signal passed on"]),
  },
  retiredByStop: {
    preloaderLaunched: ignored("its launch has been answered"),
    preloaderLaunchFailed: ignored("its failure has been counted"),
    preloaderLaunchShort: ignored("its failure has been counted"),
    preloaderConnected: ignored("there is no process that could connect"),
    preloaderReady: ignored("there is no process that could be ready"),
    preloaderFailed: to("retired", ["error: preloader could not load the code"], {
      why: "late, but worth its line",
    }),
    preloaderDisconnected: ignored("there is no process to stop"),
    preloaderGone: ignored("there is no process that could be gone"),
    preloaderExited: ignored("its failure has been counted"),
    stale: ignored("an earlier generation"),
    notDue: ignored("it has no deadline"),
    due: ignored("it has no deadline: nothing is started after a stop"),
    lastSetFaulted: to("retired", ["info: worker stopped", "TERM to group 201", "TERM to orphans"], {
      why: "asked to go, so no death; nobody is left",
    }),
    stopRequested: to(
      "retired",
      [
        "warning: killing everything that is left",
        "KILL to group 201",
        "KILL to process 201",
        "KILL to orphans",
      ],
      { why: "the second one" },
    ),
    killRequested: to("retired", [
      "warning: killing everything that is left",
      "KILL to group 201",
      "KILL to process 201",
      "KILL to orphans",
    ]),
    signalReceived: to("retired", ["info: signal passed on"]),
  },
};
