/** An effect in a few words: what is asked for, of whom, and the message of a log event. */
import type { Effect } from "../../../src/core/effect.ts";

export function describeEffect(effect: Effect): string {
  switch (effect.type) {
    case "executeWorker":
      return "execute worker";
    case "spawnWorker":
      return `spawn worker of generation ${effect.generation}`;
    case "startPreloader":
      return `start preloader generation ${effect.generation}`;
    case "signalProcess":
      return `${shorten(effect.signal)} to process ${effect.pid}`;
    case "signalGroup":
      return `${shorten(effect.signal)} to group ${effect.pgid}`;
    case "sweepOrphans":
      return `${shorten(effect.signal)} to orphans`;
    case "log":
      return `${effect.event.level}: ${effect.event.message}`;
    case "exit":
      return `exit ${effect.code}`;
  }
}

function shorten(signal: string): string {
  return signal.replace(/^SIG/, "");
}
