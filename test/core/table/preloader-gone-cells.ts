/** What each event does in each state; see `preloader.ts` for what the names mean. */
import { type Cells, ignored, to } from "./cell.ts";
import type { PreloaderEventName } from "./preloader.ts";

type State = "gone" | "goneByStop";

export const goneCells: Cells<State, PreloaderEventName> = {
  gone: {
    preloaderLaunched: ignored("announced twice: the first announcement holds"),
    preloaderLaunchFailed: ignored("it had a pid, so it was launched"),
    preloaderLaunchShort: ignored("it had a pid, so it was launched"),
    preloaderConnected: ignored("late: there is no process to ask"),
    preloaderReady: ignored("late: it can launch nothing any more"),
    preloaderFailed: to("gone", ["error: preloader could not load the code"], {
      why: "what it wrote before its end",
    }),
    preloaderDisconnected: ignored("its end is known"),
    preloaderGone: ignored("known"),
    preloaderExited: to("waiting", ["error: preloader died"], {
      deaths: 1,
      why: "everything is read; its second failure: a delay",
    }),
    stale: ignored("an earlier generation"),
    notDue: ignored("it has no deadline"),
    due: ignored("it has no deadline: whoever reads its connection has one"),
    lastSetFaulted: to(
      "gone",
      ["warning: worker died", "critical: worker set faulted", "TERM to group 201"],
      {
        why: "it is not started again",
      },
    ),
    stopRequested: to("gone", ["info: stopping", "TERM to process 201", "info: worker stopping"], {
      why: "there is no process to stop",
    }),
    killRequested: to(
      "gone",
      [
        "info: stopping",
        "warning: killing everything that is left",
        "KILL to group 201",
        "KILL to process 201",
        "KILL to orphans",
      ],
      { why: "its pid may be anybody's" },
    ),
    signalReceived: to("gone", ["HUP to process 201", "info: signal passed on"]),
  },
  goneByStop: {
    preloaderLaunched: ignored("announced twice: the first announcement holds"),
    preloaderLaunchFailed: ignored("it had a pid, so it was launched"),
    preloaderLaunchShort: ignored("it had a pid, so it was launched"),
    preloaderConnected: ignored("late: there is no process to ask"),
    preloaderReady: ignored("late: it can launch nothing any more"),
    preloaderFailed: to("gone", ["info: preloader could not load the code"], {
      why: "the answer to its TERM, and no error",
    }),
    preloaderDisconnected: ignored("its end is known"),
    preloaderGone: ignored("known"),
    preloaderExited: to("retired", ["info: preloader stopped"], { why: "asked to go, so no failure" }),
    stale: ignored("an earlier generation"),
    notDue: ignored("it has no deadline"),
    due: ignored("it has no deadline: whoever reads its connection has one"),
    lastSetFaulted: to("gone", ["info: worker stopped", "TERM to group 201"], {
      why: "asked to go, so no death",
    }),
    stopRequested: to(
      "gone",
      [
        "warning: killing everything that is left",
        "KILL to group 201",
        "KILL to process 201",
        "KILL to orphans",
      ],
      { why: "the second one; its pid may be anybody's" },
    ),
    killRequested: to(
      "gone",
      [
        "warning: killing everything that is left",
        "KILL to group 201",
        "KILL to process 201",
        "KILL to orphans",
      ],
      { why: "its pid may be anybody's" },
    ),
    signalReceived: to("gone", ["info: signal passed on"]),
  },
};
