/** The signals that mean something to the supervisor (specification section 4), and CHLD for the reaper. */
const caughtSignals = [
  "SIGTERM",
  "SIGINT",
  "SIGQUIT",
  "SIGHUP",
  "SIGUSR1",
  "SIGUSR2",
  "SIGWINCH",
  "SIGCHLD",
] as const;

export type CaughtSignal = (typeof caughtSignals)[number];

export type SignalSource = {
  /** Hands over what has come since `captureSignals`, at once and in order, and then each signal as it comes. */
  deliverTo(callback: (signal: CaughtSignal) => void): void;
  /** Gives the signals back their default meaning. */
  release(): void;
};

/**
 * Catches signals from now on, so call it first of all: the kernel gives PID 1 no default for a signal without a
 * handler, it is lost (kill(2)); and to any other pid a TERM before that is deadly, with nobody to stop the workers.
 *
 * PIPE needs nothing: Bun ignores it, so that a write to a closed pipe is an EPIPE.
 */
export function captureSignals(): SignalSource {
  const early: CaughtSignal[] = [];
  let deliver = (signal: CaughtSignal): void => {
    early.push(signal);
  };
  const handlers = caughtSignals.map((signal) => ({ signal, handler: () => deliver(signal) }));
  for (const { signal, handler } of handlers) process.on(signal, handler);
  return {
    deliverTo(callback) {
      deliver = callback;
      for (const signal of early.splice(0)) callback(signal);
    },
    release() {
      for (const { signal, handler } of handlers) process.off(signal, handler);
    },
  };
}
