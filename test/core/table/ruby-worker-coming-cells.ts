/** What each event does in each state; see `ruby-worker.ts` for what the names mean. */
import { type Cells, ignored, to } from "./cell.ts";
import type { RubyEventName } from "./ruby-worker.ts";

type State = "vacant" | "backingOff" | "requested" | "abandonedLate" | "abandonedByStop";

export const comingCells: Cells<State, RubyEventName> = {
  vacant: {
    workerLaunched: ignored("no worker has this id: its exit was seen first, or its launch was withdrawn"),
    workerLaunchFailed: ignored("no worker has this id: its launch was withdrawn"),
    workerLaunchShort: ignored("no worker has this id: its launch was withdrawn"),
    workerAcked: ignored("no worker has this id"),
    workerExited: ignored("no worker has this id"),
    notDue: ignored("it has no deadline"),
    due: ignored("it has no deadline"),
    stopRequested: to("vacant", ["info: stopping", "TERM to process 101", "debug: preloader stopping"], {
      why: "a preloader that loads has nothing to give any more",
    }),
    killRequested: to("vacant", [
      "info: stopping",
      "TERM to process 101",
      "debug: preloader stopping",
      "warning: killing everything that is left",
      "KILL to group 101",
      "KILL to process 101",
      "KILL to orphans",
    ]),
    signalReceived: to("vacant", ["info: signal passed on"]),
    preloaderReady: to("requested", ["info: preloader ready", "spawn worker of generation 1"]),
    preloaderExited: to(
      "vacant",
      ["error: preloader died", "TERM to group 101", "start preloader generation 2"],
      { why: "its first failure: no delay" },
    ),
  },
  backingOff: {
    workerLaunched: ignored("no worker has this id: its exit was seen first, or its launch was withdrawn"),
    workerLaunchFailed: ignored("no worker has this id: its launch was withdrawn"),
    workerLaunchShort: ignored("no worker has this id: its launch was withdrawn"),
    workerAcked: ignored("its death has been counted; the ack changes nothing"),
    workerExited: ignored("counted already"),
    notDue: ignored("the timer was early"),
    due: to("requested", ["spawn worker of generation 1"]),
    stopRequested: to("vacant", ["info: stopping", "TERM to process 101", "debug: preloader stopping"], {
      why: "no worker is left, so the preloader is next",
    }),
    killRequested: to("vacant", [
      "info: stopping",
      "warning: killing everything that is left",
      "KILL to group 101",
      "KILL to process 101",
      "KILL to orphans",
    ]),
    signalReceived: to("backingOff", ["info: signal passed on"]),
    preloaderReady: ignored("it is ready already"),
    preloaderExited: to(
      "backingOff",
      ["error: preloader died", "TERM to group 101", "start preloader generation 2"],
      { why: "the delay of the slot goes on" },
    ),
  },
  requested: {
    workerLaunched: to("launched", ["info: worker launched"]),
    workerLaunchFailed: to("requested", ["error: worker launch failed", "spawn worker of generation 1"], {
      deaths: 1,
      why: "its first death: no delay",
    }),
    workerLaunchShort: to("backingOff", ["error: worker launch put off"], {
      why: "no death: the machine was short of something",
    }),
    workerAcked: ignored("the shells hold an ack back until the pid is known, for they must compare the two"),
    workerExited: to("requested", ["warning: worker died", "spawn worker of generation 1"], {
      deaths: 1,
      why: "the exit overtook the announcement of the pid",
    }),
    notDue: ignored("the timer was early"),
    due: to(
      "abandoned",
      ["error: worker launch timed out", "TERM to process 101", "debug: preloader stopping"],
      {
        deaths: 1,
        why: "a preloader that has not answered hangs: it goes, and so do the launches behind this one",
      },
    ),
    stopRequested: to("abandoned", ["info: stopping", "TERM to process 101", "debug: preloader stopping"], {
      why: "a preloader with a fork to do goes at once",
    }),
    killRequested: to("abandoned", [
      "info: stopping",
      "TERM to process 101",
      "debug: preloader stopping",
      "warning: killing everything that is left",
      "KILL to group 101",
      "KILL to process 101",
      "KILL to orphans",
    ]),
    signalReceived: to("requested", ["info: signal passed on"]),
    preloaderReady: ignored("it is ready already"),
    preloaderExited: to(
      "vacant",
      [
        "error: preloader died",
        "TERM to group 101",
        "info: worker launch withdrawn",
        "start preloader generation 2",
      ],
      { why: "what was not launched never will be; the preloader's failure is counted instead" },
    ),
  },
  abandonedLate: {
    workerLaunched: to(
      "stopping",
      ["info: worker launched too late", "TERM to process 201", "info: worker stopping"],
      { why: "it may not stay: its death has been counted" },
    ),
    workerLaunchFailed: to("vacant", ["info: worker launch given up"], {
      why: "its death has been counted; the preloader is still on its way out",
    }),
    workerLaunchShort: to("vacant", ["info: worker launch given up"], {
      why: "its death has been counted; the preloader is still on its way out",
    }),
    workerAcked: ignored("nobody waits for it any more"),
    workerExited: to("vacant", ["info: worker launch given up"], {
      why: "its death has been counted; the preloader is still on its way out",
    }),
    notDue: ignored("it has no deadline"),
    due: ignored("it has no deadline"),
    stopRequested: to("abandoned", ["info: stopping"]),
    killRequested: to("abandoned", [
      "info: stopping",
      "warning: killing everything that is left",
      "KILL to group 101",
      "KILL to process 101",
      "KILL to orphans",
    ]),
    signalReceived: to("abandoned", ["info: signal passed on"]),
    preloaderReady: ignored("it has been asked to go; the decision stands"),
    preloaderExited: to("vacant", [
      "error: preloader died",
      "TERM to group 101",
      "info: worker launch withdrawn",
      "start preloader generation 2",
    ]),
  },
  abandonedByStop: {
    workerLaunched: to("stopping", [
      "info: worker launched too late",
      "TERM to process 201",
      "info: worker stopping",
    ]),
    workerLaunchFailed: to("vacant", ["info: worker launch given up"], {
      why: "no worker is left; the preloader has got its TERM",
    }),
    workerLaunchShort: to("vacant", ["info: worker launch given up"], {
      why: "no worker is left; the preloader has got its TERM",
    }),
    workerAcked: ignored("nobody waits for it any more"),
    workerExited: to("vacant", ["info: worker launch given up"], {
      why: "no worker is left; the preloader has got its TERM",
    }),
    notDue: ignored("it has no deadline"),
    due: ignored("it has no deadline"),
    stopRequested: to(
      "abandoned",
      [
        "warning: killing everything that is left",
        "KILL to group 101",
        "KILL to process 101",
        "KILL to orphans",
      ],
      { why: "the second one" },
    ),
    killRequested: to("abandoned", [
      "warning: killing everything that is left",
      "KILL to group 101",
      "KILL to process 101",
      "KILL to orphans",
    ]),
    signalReceived: to("abandoned", ["info: signal passed on"]),
    preloaderReady: ignored("it has been asked to go; the decision stands"),
    preloaderExited: to(
      "vacant",
      ["info: preloader stopped", "TERM to group 101", "info: worker launch withdrawn", "TERM to orphans"],
      { why: "no worker and no preloader is left" },
    ),
  },
};
