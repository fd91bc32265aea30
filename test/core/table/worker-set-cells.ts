/** What each event does in each state; see `worker-set.ts` for what the names mean. */
import { type Cells, ignored, to } from "./cell.ts";
import type { SetEventName, SetStateName } from "./worker-set.ts";

export const workerSetCells: Cells<SetStateName, SetEventName> = {
  loading: {
    lastReady: to("running", ["info: worker ready", "info: worker set running"], {
      why: "health is what the workers make it",
    }),
    firstDeath: to("loading", ["warning: worker died", "TERM to group 201"], {
      deaths: 1,
      why: "no replacement before the preloader is ready",
    }),
    secondDeath: to("loading", ["warning: worker died", "TERM to group 203"], {
      deaths: 1,
      why: "no replacement before the preloader is ready",
    }),
    oneTooMany: to("faulted", ["warning: worker died", "critical: worker set faulted", "TERM to group 203"], {
      deaths: 2,
    }),
    ackTimeout: to(
      "loading",
      ["error: worker did not ack in time", "TERM to process 203", "info: worker stopping"],
      { deaths: 1 },
    ),
    preloaderExited: to("loading", ["error: preloader died", "TERM to group 102"], {
      why: "its second failure: a delay",
    }),
    preloaderTooOften: to("faulted", []),
    stopRequested: to("draining", ["info: stopping", "TERM to process 102", "debug: preloader stopping"], {
      why: "a preloader that loads has nothing to give any more",
    }),
  },
  starting: {
    lastReady: to("running", ["info: worker ready", "info: worker set running"]),
    firstDeath: to(
      "starting",
      ["warning: worker died", "TERM to group 201", "spawn worker of generation 1"],
      { deaths: 1, why: "no delay" },
    ),
    secondDeath: to("starting", ["warning: worker died", "TERM to group 203"], {
      deaths: 1,
      why: "replaced after `backoff`",
    }),
    oneTooMany: to("faulted", ["warning: worker died", "critical: worker set faulted", "TERM to group 203"], {
      deaths: 2,
    }),
    ackTimeout: to(
      "starting",
      ["error: worker did not ack in time", "TERM to process 203", "info: worker stopping"],
      { deaths: 1, why: "siblings are left alone" },
    ),
    preloaderExited: to("loading", [
      "error: preloader died",
      "TERM to group 101",
      "start preloader generation 2",
    ]),
    preloaderTooOften: to("faulted", [], { why: "its workers go on serving" }),
    stopRequested: to("draining", ["info: stopping"]),
  },
  running: {
    lastReady: ignored("repeated: harmless"),
    firstDeath: to(
      "underprovisioned",
      [
        "warning: worker died",
        "TERM to group 201",
        "spawn worker of generation 1",
        "warning: worker set underprovisioned",
      ],
      { deaths: 1, why: "no delay" },
    ),
    secondDeath: to(
      "underprovisioned",
      ["warning: worker died", "TERM to group 203", "warning: worker set underprovisioned"],
      { deaths: 1, why: "replaced after `backoff`" },
    ),
    oneTooMany: to("faulted", ["warning: worker died", "critical: worker set faulted", "TERM to group 203"], {
      deaths: 2,
    }),
    ackTimeout: ignored("everybody has acked: nothing is due"),
    preloaderExited: to(
      "running",
      ["error: preloader died", "TERM to group 101", "start preloader generation 2"],
      { why: "health stays what the workers make it" },
    ),
    preloaderTooOften: to("faulted", [], { why: "its workers go on serving" }),
    stopRequested: to("draining", ["info: stopping"]),
  },
  underprovisioned: {
    lastReady: to("running", ["info: worker ready", "info: worker set running"]),
    firstDeath: to(
      "underprovisioned",
      ["warning: worker died", "TERM to group 201", "spawn worker of generation 1"],
      { deaths: 1, why: "no delay" },
    ),
    secondDeath: to("underprovisioned", ["warning: worker died", "TERM to group 203"], {
      deaths: 1,
      why: "replaced after `backoff`",
    }),
    oneTooMany: to("faulted", ["warning: worker died", "critical: worker set faulted", "TERM to group 203"], {
      deaths: 2,
    }),
    ackTimeout: to(
      "underprovisioned",
      ["error: worker did not ack in time", "TERM to process 203", "info: worker stopping"],
      { deaths: 1, why: "siblings are left alone" },
    ),
    preloaderExited: to("underprovisioned", [
      "error: preloader died",
      "TERM to group 101",
      "start preloader generation 2",
    ]),
    preloaderTooOften: to("faulted", [], { why: "its workers go on serving" }),
    stopRequested: to("draining", ["info: stopping"]),
  },
  faulted: {
    lastReady: to("faulted", ["info: worker ready"], {
      why: "the workers that live go on serving; the set stays faulted",
    }),
    firstDeath: to("faulted", ["warning: worker died", "TERM to group 201"], {
      deaths: 1,
      why: "no replacement: faulted is final",
    }),
    secondDeath: to("faulted", ["warning: worker died", "TERM to group 203"], {
      deaths: 1,
      why: "no replacement: faulted is final",
    }),
    oneTooMany: to("faulted", ["warning: worker died", "TERM to group 203"], { deaths: 2, why: "said once" }),
    ackTimeout: to(
      "faulted",
      ["error: worker did not ack in time", "TERM to process 203", "info: worker stopping"],
      { deaths: 1, why: "it never served" },
    ),
    preloaderExited: ignored("it was retired with the fault"),
    preloaderTooOften: ignored("it was retired with the fault"),
    stopRequested: to("draining", ["info: stopping"]),
  },
  draining: {
    lastReady: to("draining", ["info: worker ready"], { why: "it may serve while the drain lasts" }),
    firstDeath: to("draining", ["warning: worker died", "TERM to group 201"], {
      deaths: 1,
      why: "no launches after a stop",
    }),
    secondDeath: to("draining", ["warning: worker died", "TERM to group 203"], {
      deaths: 1,
      why: "no launches after a stop",
    }),
    oneTooMany: to(
      "draining",
      ["warning: worker died", "TERM to group 203", "TERM to process 101", "debug: preloader stopping"],
      { deaths: 2, why: "the workers are gone, so the drain is over and the preloader is next" },
    ),
    ackTimeout: to(
      "draining",
      [
        "error: worker did not ack in time",
        "TERM to process 203",
        "info: worker stopping",
        "TERM to process 201",
        "info: worker stopping",
      ],
      { deaths: 1, why: "the drain is over, too" },
    ),
    preloaderExited: to("draining", ["error: preloader died", "TERM to group 101"], {
      why: "not started again",
    }),
    preloaderTooOften: to("draining", [], { why: "not started again, so once is all" }),
    stopRequested: to(
      "draining",
      [
        "warning: killing everything that is left",
        "KILL to group 201",
        "KILL to process 201",
        "KILL to group 203",
        "KILL to process 203",
        "KILL to group 101",
        "KILL to process 101",
        "KILL to orphans",
      ],
      { why: "the second one" },
    ),
  },
};
