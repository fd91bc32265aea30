/** Whether the health answers are those of the ledger (specification section 8). */
import type { SetHealth, SetState, Verdict, WorkerHealth } from "../../src/core/health.ts";
import type { WorkerFact } from "./facts.ts";
import type { Ledger } from "./ledger.ts";
import { hold } from "./violation.ts";
import type { Watcher } from "./watcher.ts";

/** overall, ready, live; `minReady` stands for "if that many are ready". */
const answers: Record<SetState, { overall: boolean; ready: boolean | "minReady"; live: boolean }> = {
  loading: { overall: false, ready: false, live: true },
  starting: { overall: false, ready: false, live: true },
  running: { overall: true, ready: true, live: true },
  underprovisioned: { overall: false, ready: "minReady", live: true },
  faulted: { overall: false, ready: false, live: false },
  draining: { overall: false, ready: false, live: true },
  stopped: { overall: false, ready: false, live: true },
};

export function stateOf(ledger: Ledger, set: number): SetState {
  const { limits, isFaulted, hasRun } = ledger.setOf({ set });
  if (ledger.hasExited) return "stopped";
  if (ledger.stopSinceMs !== undefined) return "draining";
  if (isFaulted) return "faulted";
  if (ledger.countReady(set) === limits.count) return "running";
  if (hasRun) return "underprovisioned";
  if (limits.preloader === undefined) return "starting";
  const servant = ledger.preloaders[limits.preloader];
  const isLoaded = servant?.isReady === true && servant.askedAtMs === undefined && !servant.isGone;
  return isLoaded ? "starting" : "loading";
}

export function checkVerdict(verdict: Verdict, ledger: Ledger, watcher: Watcher, nowMs: number): void {
  const expected = { overall: true, ready: true, live: true };
  for (const [set, health] of verdict.sets.entries()) {
    const state = stateOf(ledger, set);
    const ready = ledger.countReady(set);
    hold(health.state === state, "health says the state of each set", () => `${health.state}, not ${state}`);
    if (ledger.hasExited) continue;
    hold(health.ready === ready, "health says how many are ready", () => `${health.ready}, not ${ready}`);
    const answer = answers[state];
    expected.overall &&= answer.overall;
    expected.ready &&= answer.ready === "minReady" ? ready >= health.minReady : answer.ready;
    expected.live &&= answer.live;
    checkDeaths(health, set, ledger, watcher, nowMs);
    checkWorkers(health.workers, set, ledger);
  }
  if (ledger.hasExited) return;
  for (const answer of ["overall", "ready", "live"] as const) {
    hold(
      verdict[answer] === expected[answer],
      "health answers by its table",
      () => `${answer}=${verdict[answer]}`,
    );
  }
}

function checkDeaths(health: SetHealth, set: number, ledger: Ledger, watcher: Watcher, nowMs: number): void {
  const deaths = ledger.recentDeaths(set, nowMs);
  hold(health.deaths === deaths, "no death is missed or invented", () => `${health.deaths}, not ${deaths}`);
  const { deathsEver, limits } = ledger.setOf({ set });
  const inLog = watcher.deathsInLog(limits.name);
  hold(inLog === deathsEver, "every death is in the log", () => `${inLog}, not ${deathsEver}`);
}

/** Slot by slot, the supervisor's workers are the ones that are there. */
function checkWorkers(workers: readonly WorkerHealth[], set: number, ledger: Ledger): void {
  let shown = 0;
  for (const { id, phase, pid } of workers) {
    if (phase === "waiting") continue;
    shown += 1;
    const fact = ledger.workers.get(id);
    const isRight = fact !== undefined && fact.set === set && phaseOf(ledger, fact) === phase;
    hold(isRight, "health shows every worker as it is", () => `${id} ${phase}`);
    hold(pid === (fact.isAnnounced ? fact.pid : undefined), "health shows every pid", () => `${id}: ${pid}`);
  }
  let there = 0;
  for (const fact of ledger.workers.values()) if (fact.set === set) there += 1;
  hold(shown === there, "health shows every worker", () => `${shown} of ${there}`);
}

function phaseOf(ledger: Ledger, fact: WorkerFact): WorkerHealth["phase"] {
  if (!fact.isAnnounced) return "requested";
  if (fact.askedAtMs !== undefined) return "stopping";
  return ledger.isReady(fact) ? "ready" : "launched";
}
