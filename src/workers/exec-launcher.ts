/** Starts workers that are programs, and takes their acks on the descriptor that they inherit for it. */
import type { Event, WorkerId } from "../core/event.ts";
import type { ExitStatus } from "../core/exit-status.ts";
import type { Fields } from "../core/log-event.ts";
import { LineDecoder } from "../protocol/line-decoder.ts";
import { parseMessage } from "../protocol/messages.ts";
import type { WorkerLaunch } from "../supervisor.ts";
import { shortageOf } from "../system/shortage.ts";

export type WorkerHandlers = {
  /** @param hint what the exit may mean. */
  readonly onExit: (exit: ExitStatus, hint?: string) => void;
  readonly onAckData: (chunk: Uint8Array) => void;
};

export type ExecLauncherPorts = {
  /** Throws what the operating system says. `onAckData` is called with what the worker writes to its ack descriptor. */
  readonly startProcess: (launch: WorkerLaunch, handlers: WorkerHandlers) => { readonly pid: number };
  readonly post: (event: Event) => void;
  readonly warn: (message: string, fields: Fields) => void;
  /** Calls back when everybody else has had a turn. */
  readonly schedule: (callback: () => void) => void;
};

/** Answers with `workerLaunched` or `workerLaunchFailed`, and with `workerExited` when it is over. */
export function executeWorker(launch: WorkerLaunch, ports: ExecLauncherPorts): void {
  const { id } = launch;
  try {
    const { pid } = ports.startProcess(launch, {
      onExit: (exit, hint) => ports.post({ type: "workerExited", id, exit, hint }),
      onAckData: readAcks(id, ports),
    });
    ports.post({ type: "workerLaunched", id, pid });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const shortage = shortageOf(error);
    // Not at once: without a backoff the next launch would follow in the same breath, and with it the next failure, and
    // no signal, exit or health request would get a turn.
    ports.schedule(() => ports.post({ type: "workerLaunchFailed", id, message, ...shortage }));
  }
}

/** Nobody but the worker and what it started has this descriptor, so the id is all there is to check. */
function readAcks(id: WorkerId, ports: ExecLauncherPorts): (chunk: Uint8Array) => void {
  const decoder = new LineDecoder();
  let hasWarned = false;
  const refuse = (reason: string) => {
    if (!hasWarned) ports.warn("refused a message on an ack descriptor", { worker: id, reason });
    hasWarned = true;
  };
  return (chunk) => {
    for (const line of decoder.push(chunk)) {
      if (line.kind === "tooLong") return refuse("the line is longer than 64 KiB");
      const parsed = parseMessage(line.text, "worker");
      if (!parsed.ok) refuse(parsed.reason);
      else if (parsed.from !== "worker" || parsed.message.action !== "ack")
        refuse("only acks are taken here");
      else if (parsed.message.id !== id) refuse("the ack names another worker");
      else ports.post({ type: "workerAcked", id });
    }
  };
}
