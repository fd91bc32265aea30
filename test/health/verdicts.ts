import type { SetHealth, Verdict } from "../../src/core/health.ts";

export function verdictOf(changes: Partial<Verdict> = {}): Verdict {
  return { overall: true, ready: true, live: true, name: "shop", sets: [setOf()], ...changes };
}

export function setOf(changes: Partial<SetHealth> = {}): SetHealth {
  return {
    name: "web",
    state: "running",
    ready: 3,
    count: 3,
    minReady: 2,
    deaths: 0,
    lastDeath: undefined,
    detail: undefined,
    workers: [],
    ...changes,
  };
}
