import type { SetHealth, Verdict, WorkerHealth } from "../core/health.ts";
import { escapeUnsafe } from "../escape.ts";

/** `ok` or `unhealthy`, and a line for each set that says why. */
export function renderText(isOk: boolean, verdict: Verdict): string {
  return [headline(isOk), ...verdict.sets.map(describeSet)].map((line) => `${line}\n`).join("");
}

/** The same for programs, and beyond it each worker. Durations in milliseconds, what is unknown is null. */
export function renderJson(isOk: boolean, verdict: Verdict): string {
  const report = {
    status: headline(isOk),
    name: verdict.name,
    ready: verdict.ready,
    live: verdict.live,
    sets: verdict.sets.map(reportSet),
  };
  return `${JSON.stringify(report)}\n`;
}

function headline(isOk: boolean): string {
  return isOk ? "ok" : "unhealthy";
}

/** `web: underprovisioned, 2 of 3 ready, last death: signal KILL 3 s ago` */
function describeSet(set: SetHealth): string {
  const reasons = [set.state, `${set.ready} of ${set.count} ready`];
  if (set.detail !== undefined) reasons.push(set.detail);
  if (set.lastDeath !== undefined) {
    reasons.push(`last death: ${set.lastDeath.cause} ${describeAge(set.lastDeath.agoMs)} ago`);
  }
  // A cause may quote what a preloader said: it must not begin a line of its own.
  return escapeUnsafe(`${set.name}: ${reasons.join(", ")}`);
}

/** In the largest unit that gives at least 2, or in seconds; rounded down. */
function describeAge(ageMs: number): string {
  const seconds = Math.floor(Math.max(0, ageMs) / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

function reportSet(set: SetHealth) {
  const { lastDeath } = set;
  return {
    name: set.name,
    state: set.state,
    ready: set.ready,
    count: set.count,
    min_ready: set.minReady,
    deaths: set.deaths,
    last_death: lastDeath === undefined ? null : { cause: lastDeath.cause, ago_ms: lastDeath.agoMs },
    detail: set.detail ?? null,
    workers: set.workers.map(reportWorker),
  };
}

function reportWorker(worker: WorkerHealth) {
  return {
    slot: worker.slot,
    id: worker.id,
    phase: worker.phase,
    pid: worker.pid ?? null,
    age_ms: worker.ageMs,
  };
}
