/** How a program takes the signals that a process can handle. */
import type { Fate } from "../kernel/fates.ts";
import type { Reaction } from "../kernel/process.ts";

export const signals = { int: 2, quit: 3, kill: 9, term: 15, continue: 18, stop: 19, winch: 28 } as const;

/** Those that ask a process to go. */
export function isStopSignal(signal: number): boolean {
  return signal === signals.term || signal === signals.int || signal === signals.quit;
}

/** `deaf`: only KILL ends it. */
export type Manners = "none" | "graceful" | "deaf";

export function mannersOf(fate: Fate): Manners {
  if (fate.isTroubled(0.3)) return "deaf";
  return fate.oneOf("none", "graceful");
}

/** Of a signal that asks for nothing that the program knows: most ignore it, some die of it. */
export function takeOtherSignal(signal: number, isFragile: boolean): Reaction {
  return isFragile && signal !== signals.winch ? "default" : "ignored";
}
