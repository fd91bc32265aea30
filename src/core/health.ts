/** What the orchestrator is told; a pure function of the fleet's state (specification section 8). */

export type SetState =
  | "loading"
  | "starting"
  | "running"
  | "underprovisioned"
  | "faulted"
  | "draining"
  | "stopped";

export type SetHealth = {
  readonly name: string;
  readonly state: SetState;
  readonly ready: number;
  readonly count: number;
  readonly minReady: number;
  /** Deaths within the current restart period. */
  readonly deaths: number;
  /** `signal KILL`, `status 1`, `ack timeout`…; undefined before the first. */
  readonly lastDeath: { readonly cause: string; readonly agoMs: number } | undefined;
  /** Why it is so, in a few words without paths or arguments, e.g. `preloader loading generation 2`; undefined when the state says it all. */
  readonly detail: string | undefined;
  /** One for each slot, in order; JSON only. */
  readonly workers: readonly WorkerHealth[];
};

export type WorkerHealth = {
  readonly slot: number;
  readonly id: string;
  /** `waiting`: nobody is in the slot. A launch that was given up counts as `requested`; the others are a worker's phases. */
  readonly phase: "waiting" | "requested" | "launched" | "ready" | "stopping";
  readonly pid: number | undefined;
  readonly ageMs: number;
};

/** The three answers are true for 200, false for 503. */
export type Verdict = {
  readonly overall: boolean;
  readonly ready: boolean;
  readonly live: boolean;
  readonly name: string;
  readonly sets: readonly SetHealth[];
};
