/**
 * For Bun's `error` handler of a socket, which gets what our own handlers throw, and nothing else (a connection reset comes
 * with `close`). A mistake of ours ends the process as anywhere else: thrown again where Bun doesn't catch it.
 */
export function dieOf(mistake: Error): void {
  queueMicrotask(() => {
    throw mistake;
  });
}
