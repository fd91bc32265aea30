/** All that can happen to one worker, or to two, in every order: see `random/every-sequence.ts`. */
import { expect, test } from "bun:test";
import { isDeep } from "../helpers/deep.ts";
import { tryEverySequence } from "./random/every-sequence.ts";
import { fleetLimits, preloaderLimits, programLimits, restartLimits, rubyLimits } from "./support/limits.ts";

const timeoutMs = isDeep ? 600_000 : 60_000;
const restart = { ...restartLimits, intensity: 1 };

test(
  "a program that acks: every sequence of events keeps every invariant",
  () => {
    const limits = fleetLimits([programLimits({ needsAck: true, ackTimeoutMs: 12_000, restart })]);
    expect(tryEverySequence(limits, isDeep ? 12 : 8).states).toBeGreaterThan(100);
  },
  timeoutMs,
);

test(
  "a Ruby worker and its preloader: every sequence of events keeps every invariant",
  () => {
    const limits = fleetLimits([rubyLimits({ restart })], { onFault: "exit", drainDelayMs: 500 });
    const preloaders = [{ ...preloaderLimits, restart }];
    expect(tryEverySequence({ ...limits, preloaders }, isDeep ? 10 : 7).states).toBeGreaterThan(100);
  },
  timeoutMs,
);

test(
  "two programs that ack, one after the other: every sequence of events keeps every invariant",
  () => {
    const limits = { count: 2, minReady: 1, maxStarting: 1, needsAck: true, ackTimeoutMs: 12_000, restart };
    expect(tryEverySequence(fleetLimits([programLimits(limits)]), isDeep ? 10 : 7).states).toBeGreaterThan(
      100,
    );
  },
  timeoutMs,
);

test(
  "two Ruby workers of one preloader: every sequence of events keeps every invariant",
  () => {
    const limits = fleetLimits([rubyLimits({ count: 2, restart })], { drainDelayMs: 500 });
    const preloaders = [{ ...preloaderLimits, restart }];
    expect(tryEverySequence({ ...limits, preloaders }, isDeep ? 9 : 6).states).toBeGreaterThan(100);
  },
  timeoutMs,
);
