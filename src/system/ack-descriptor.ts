import type { NetConnectOpts } from "node:net";

/**
 * What the child writes to its ack descriptor, as it comes, and `onEnd` when nobody can write any more. Neither is
 * called after the child's exit has been told: its last words may be lost, and an exit is an exit, acked or not.
 */
export type AckHandlers = {
  onData(chunk: Uint8Array): void;
  onEnd(): void;
};

export type AckDescriptor = {
  /**
   * Nothing more is read, and `onEnd` not called. While the child lives it may still write: it would then get
   * SIGPIPE, which kills most programs, so close early only what misbehaves.
   */
  close(): void;
};

/**
 * Reads our end of the pair. It closes itself when no process has the other end open any more; `close` is for when the
 * child is gone and something that it has left behind still holds on to it.
 */
export function readAckDescriptor(descriptor: number, handlers: AckHandlers): AckDescriptor {
  // Only programs that ack by a descriptor make the supervisor load it: it brings all of Node's streams along.
  const { connect } = process.getBuiltinModule("node:net");
  // Bun's documentation of "socket-fd" has this form; Node's types want an address too, and there is none.
  const socket = connect({ fd: descriptor } as NetConnectOpts);
  let open = true;
  socket.on("data", (chunk) => {
    // Text only comes where an encoding was set.
    if (open && typeof chunk !== "string") handlers.onData(chunk);
  });
  // A connection reset is but another end of it; "close" follows.
  socket.on("error", () => undefined);
  socket.on("close", () => {
    if (open) handlers.onEnd();
    open = false;
  });
  return {
    close() {
      open = false;
      socket.destroy();
    },
  };
}
