/** `kleinhirn ack`: a worker's script says that the worker is ready. */
import { writeSync } from "node:fs";
import type { SocketHandler } from "bun";
import { nameError } from "../error-code.ts";
import { kernelAddress } from "../protocol/kernel-address.ts";
import { LineDecoder } from "../protocol/line-decoder.ts";
import { encodeAck, parseReply, type Reply } from "../protocol/messages.ts";
import { exitFailed, exitOk, exitUsage } from "./exit-code.ts";
import { complain } from "./load.ts";
import { shown } from "./usage-error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export type AckOptions = {
  readonly timeoutMs: number;
  readonly complain: (text: string) => void;
};

/** How long a supervisor may be too busy to accept, and how soon to try again. */
const longestBusyMs = 5000;
const retryMs = 10;

const defaults: AckOptions = { timeoutMs: 10_000, complain };

/**
 * Sends the ack of the worker whose environment this is, and waits for the answer: the supervisor looks up whose descendant
 * this process is, and that can't be seen any more of one that has exited. On the original's status descriptor there is
 * no answer, and none is needed: who has it is the worker or was started by it.
 */
export async function runAck(env: Environment, options: Partial<AckOptions> = {}): Promise<number> {
  const { timeoutMs, complain } = { ...defaults, ...options };
  const { KLEINHIRN_SOCKET: socket, KLEINHIRN_STATUS_FD: descriptor, KLEINHIRN_WORKER_ID: id } = env;
  const missing = [
    ...(id ? [] : ["KLEINHIRN_WORKER_ID"]),
    ...(socket || descriptor ? [] : ["KLEINHIRN_SOCKET"]),
  ];
  if (!id || missing.length > 0) {
    complain(`kleinhirn ack: not called from a worker: ${missing.join(" and ")} not set in its environment`);
    return exitUsage;
  }
  const reply = socket ? await ackOnSocket(socket, id, timeoutMs) : ackOnDescriptor(descriptor ?? "", id);
  if (reply.ok) return exitOk;
  complain(`kleinhirn ack: ${reply.reason}`);
  return exitFailed;
}

async function ackOnSocket(address: string, id: string, timeoutMs: number): Promise<Reply> {
  const { promise: answered, resolve } = Promise.withResolvers<Reply>();
  const fail = (reason: string) => resolve({ ok: false, reason });
  const deadline = setTimeout(
    () => fail(`no answer within ${timeoutMs / 1000} s from ${shown(address)}`),
    timeoutMs,
  );
  const decoder = new LineDecoder();
  const connection = connectPatiently(address, performance.now() + Math.min(timeoutMs / 2, longestBusyMs), {
    open: (socket) => {
      socket.write(encodeAck(id));
    },
    data: (_socket, chunk) => {
      const [line] = decoder.push(chunk);
      if (line?.kind === "line") resolve(parseReply(line.text));
      if (line?.kind === "tooLong") fail("the answer makes no sense: it is longer than 64 KiB");
    },
    close: () => fail(`the supervisor at ${shown(address)} closed the connection without an answer`),
    error: (_socket, error) => fail(error.message),
  });
  connection.catch((error: unknown) => fail(explainRefusal(address, error)));
  const reply = await answered;
  clearTimeout(deadline);
  connection.then(
    (socket) => socket.terminate(),
    () => undefined,
  );
  return reply;
}

/**
 * A backlog that is full, as when hundreds of workers ack at once, passes; Bun calls it ECONNREFUSED, as it does when nobody
 * listens, so that is told only when it has lasted.
 */
async function connectPatiently(
  address: string,
  giveUpAtMs: number,
  socket: SocketHandler,
): Promise<{ terminate(): void }> {
  for (;;) {
    try {
      return await Bun.connect({ unix: kernelAddress(address), socket });
    } catch (error) {
      if (nameError(error) !== "ECONNREFUSED" || performance.now() >= giveUpAtMs) throw error;
      await Bun.sleep(retryMs);
    }
  }
}

/** As in connect(2) and unix(7). */
function explainRefusal(address: string, error: unknown): string {
  const code = nameError(error);
  if (code === "ENOENT" || code === "ECONNREFUSED")
    return `no supervisor listens at ${shown(address)} (${code})`;
  if (code === "EACCES" || code === "EPERM") return `may not connect to ${shown(address)} (${code})`;
  return `can't connect to ${shown(address)} (${code})`;
}

function ackOnDescriptor(text: string, id: string): Reply {
  const refuse = (reason: string): Reply => ({
    ok: false,
    reason: `KLEINHIRN_STATUS_FD=${shown(text)}: ${reason}`,
  });
  if (!/^\d{1,9}$/.test(text)) return refuse("that is no descriptor");
  try {
    writeSync(Number(text), encodeAck(id));
    return { ok: true };
  } catch (error) {
    const code = nameError(error);
    if (code === "EPIPE" || code === "ECONNRESET") return refuse(`no supervisor reads it any more (${code})`);
    return refuse(
      code === "EBADF" ? "it is not open in this process (EBADF)" : `can't write to it (${code})`,
    );
  }
}
