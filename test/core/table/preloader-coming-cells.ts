/** What each event does in each state; see `preloader.ts` for what the names mean. */
import { type Cells, ignored, to } from "./cell.ts";
import type { PreloaderEventName } from "./preloader.ts";

type State = "waiting" | "requested" | "loading" | "ready";

export const comingCells: Cells<State, PreloaderEventName> = {
  waiting: {
    preloaderLaunched: ignored("its launch has been answered"),
    preloaderLaunchFailed: ignored("its failure has been counted"),
    preloaderLaunchShort: ignored("its failure has been counted"),
    preloaderConnected: ignored("there is no process that could connect"),
    preloaderReady: ignored("there is no process that could be ready"),
    preloaderFailed: to("waiting", ["error: preloader could not load the code"], {
      why: "late, but worth its line",
    }),
    preloaderDisconnected: ignored("there is no process to stop"),
    preloaderGone: ignored("there is no process that could be gone"),
    preloaderExited: ignored("its failure has been counted"),
    stale: ignored("an earlier generation"),
    notDue: ignored("the timer was early"),
    due: to("requested", ["start preloader generation 3"]),
    lastSetFaulted: to(
      "retired",
      ["warning: worker died", "critical: worker set faulted", "TERM to group 201"],
      { why: "nobody needs it any more" },
    ),
    stopRequested: to("retired", ["info: stopping", "TERM to process 201", "info: worker stopping"], {
      why: "nothing is started after a stop",
    }),
    killRequested: to("retired", [
      "info: stopping",
      "warning: killing everything that is left",
      "KILL to group 201",
      "KILL to process 201",
      "KILL to orphans",
    ]),
    signalReceived: to("waiting", ["HUP to process 201", "info: signal passed on"]),
  },
  requested: {
    preloaderLaunched: to("loading", ["info: preloader launched"]),
    preloaderLaunchFailed: to("waiting", ["error: preloader launch failed"], {
      deaths: 1,
      why: "its second failure: a delay",
    }),
    preloaderLaunchShort: to("waiting", ["error: preloader launch put off"], {
      why: "no failure: the machine was short of something",
    }),
    preloaderConnected: ignored("it can't speak before it is launched"),
    preloaderReady: ignored("it can't speak before it is launched"),
    preloaderFailed: to("requested", ["error: preloader could not load the code"], {
      why: "worth its line, whenever it comes",
    }),
    preloaderDisconnected: ignored("it can't speak before it is launched"),
    preloaderGone: ignored("`preloaderExited` follows, and ends it"),
    preloaderExited: to("waiting", ["error: preloader died"], {
      deaths: 1,
      why: "the exit overtook the announcement of the pid; its second failure: a delay",
    }),
    stale: ignored("an earlier generation"),
    notDue: ignored("it has no deadline"),
    due: ignored("it has no deadline"),
    lastSetFaulted: to(
      "requested",
      ["warning: worker died", "critical: worker set faulted", "TERM to group 201"],
      { why: "its launch can't be taken back" },
    ),
    stopRequested: to("requested", ["info: stopping", "TERM to process 201", "info: worker stopping"], {
      why: "it is stopped when its launch is answered",
    }),
    killRequested: to(
      "requested",
      [
        "info: stopping",
        "warning: killing everything that is left",
        "KILL to group 201",
        "KILL to process 201",
        "KILL to orphans",
      ],
      { why: "it is killed when its launch is answered" },
    ),
    signalReceived: to("requested", ["HUP to process 201", "info: signal passed on"]),
  },
  loading: {
    preloaderLaunched: ignored("announced twice: the first announcement holds"),
    preloaderLaunchFailed: ignored("it has a pid, so it was launched"),
    preloaderLaunchShort: ignored("it has a pid, so it was launched"),
    preloaderConnected: ignored("nothing is asked of it but to load"),
    preloaderReady: to("ready", ["info: preloader ready"]),
    preloaderFailed: to("loading", ["error: preloader could not load the code"], { why: "its exit follows" }),
    preloaderDisconnected: to("stopping", [
      "error: preloader lost its connection",
      "TERM to process 102",
      "debug: preloader stopping",
    ]),
    preloaderGone: to("gone", ["TERM to group 102"], { why: "what it wrote is still to be read" }),
    preloaderExited: to("waiting", ["error: preloader died", "TERM to group 102"], {
      deaths: 1,
      why: "its second failure: a delay",
    }),
    stale: ignored("an earlier generation"),
    notDue: ignored("the timer was early"),
    due: to(
      "stopping",
      ["error: preloader took too long to load", "TERM to process 102", "debug: preloader stopping"],
      { why: "TERM makes it say where it hangs" },
    ),
    lastSetFaulted: to(
      "loading",
      ["warning: worker died", "critical: worker set faulted", "TERM to group 201"],
      { why: "it may stay, but is not started again" },
    ),
    stopRequested: to(
      "stopping",
      [
        "info: stopping",
        "TERM to process 102",
        "debug: preloader stopping",
        "TERM to process 201",
        "info: worker stopping",
      ],
      { why: "a preloader that loads has nothing to give any more" },
    ),
    killRequested: to("killed", [
      "info: stopping",
      "TERM to process 102",
      "debug: preloader stopping",
      "warning: killing everything that is left",
      "KILL to group 201",
      "KILL to process 201",
      "KILL to group 102",
      "KILL to process 102",
      "KILL to orphans",
    ]),
    signalReceived: to("loading", ["HUP to process 201", "info: signal passed on"]),
  },
  ready: {
    preloaderLaunched: ignored("announced twice: the first announcement holds"),
    preloaderLaunchFailed: ignored("it has a pid, so it was launched"),
    preloaderLaunchShort: ignored("it has a pid, so it was launched"),
    preloaderConnected: ignored("said twice"),
    preloaderReady: ignored("said twice"),
    preloaderFailed: to("ready", ["error: preloader could not load the code"], {
      why: "worth its line, whenever it comes",
    }),
    preloaderDisconnected: to("stopping", [
      "error: preloader lost its connection",
      "TERM to process 102",
      "debug: preloader stopping",
    ]),
    preloaderGone: to("gone", ["TERM to group 102"], { why: "what it wrote is still to be read" }),
    preloaderExited: to("waiting", ["error: preloader died", "TERM to group 102"], {
      deaths: 1,
      why: "its second failure: a delay",
    }),
    stale: ignored("an earlier generation"),
    notDue: ignored("it has no deadline"),
    due: ignored("it has no deadline"),
    lastSetFaulted: to(
      "ready",
      ["warning: worker died", "critical: worker set faulted", "TERM to group 201"],
      { why: "it may stay, but is not started again" },
    ),
    stopRequested: to("ready", ["info: stopping", "TERM to process 201", "info: worker stopping"], {
      why: "it has nothing to fork, and goes after the workers",
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
    signalReceived: to("ready", ["HUP to process 201", "info: signal passed on"]),
  },
};
