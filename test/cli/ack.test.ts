import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "bun";
import { runAck } from "../../src/cli/ack.ts";

// A busy machine may take its time; what hangs is found all the same.
setDefaultTimeout(60_000);

const cleanups: (() => void)[] = [];

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kleinhirn-ack-"));
});

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
  rmSync(folder, { recursive: true });
});

/** Stands in for a supervisor: collects what is sent, and answers as the test says. */
function listen(address: string, onLine: (socket: Socket<undefined>) => void) {
  const received: string[] = [];
  const listener = Bun.listen<undefined>({
    unix: address.replace(/^@/, "\0"),
    socket: {
      data: (socket, chunk) => {
        received.push(chunk.toString());
        onLine(socket);
      },
    },
  });
  cleanups.push(() => listener.stop(true));
  return received;
}

/** Until one more is refused. */
async function fillBacklog(address: string): Promise<Socket[]> {
  const crowd: Socket[] = [];
  for (;;) {
    const socket = await Bun.connect({ unix: address, socket: { data() {} } }).catch(() => undefined);
    if (socket === undefined) return crowd;
    crowd.push(socket);
  }
}

async function ack(env: Record<string, string>, timeoutMs = 30_000) {
  const complaints: string[] = [];
  const code = await runAck(env, { timeoutMs, complain: (text) => complaints.push(text) });
  return { code, complaint: complaints.join("\n") };
}

describe("over the supervisor's socket", () => {
  test.each(["path", "abstract"])("acks (%s), and waits for the answer", async (kind) => {
    const address = kind === "path" ? join(folder, "socket") : `@kleinhirn-test-${crypto.randomUUID()}`;
    const { promise: heard, resolve } = Promise.withResolvers<Socket<undefined>>();
    const received = listen(address, resolve);
    let isDone = false;
    const outcome = ack({ KLEINHIRN_SOCKET: address, KLEINHIRN_WORKER_ID: "w-1" }).finally(() => {
      isDone = true;
    });
    const supervisor = await heard;
    expect(received).toEqual(['{"action":"ack","id":"w-1"}\n']);
    supervisor.write('{"ok"');
    await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBeFalse();
    supervisor.write(":true}\n");
    expect(await outcome).toEqual({ code: 0, complaint: "" });
  });

  test("says why it was refused", async () => {
    const address = join(folder, "socket");
    listen(address, (socket) => {
      socket.end('{"error":"worker w-1 is no ancestor of process 7"}\n');
    });
    expect(await ack({ KLEINHIRN_SOCKET: address, KLEINHIRN_WORKER_ID: "w-1" })).toEqual({
      code: 1,
      complaint: "kleinhirn ack: worker w-1 is no ancestor of process 7",
    });
  });

  test.each([
    ["", "closed the connection without an answer"],
    ['{"ok":true}', "closed the connection without an answer"],
    ["what?\n", "the answer makes no sense"],
    [`${"x".repeat(70_000)}\n`, "longer than 64 KiB"],
  ])("takes %p for no answer", async (answer, complaint) => {
    const address = join(folder, "socket");
    listen(address, (socket) => {
      socket.end(answer);
    });
    const outcome = await ack({ KLEINHIRN_SOCKET: address, KLEINHIRN_WORKER_ID: "w-1" });
    expect(outcome).toEqual({ code: 1, complaint: expect.stringContaining(complaint) });
  });

  test("doesn't wait for ever", async () => {
    const address = join(folder, "socket");
    listen(address, () => {});
    expect(await ack({ KLEINHIRN_SOCKET: address, KLEINHIRN_WORKER_ID: "w-1" }, 50)).toEqual({
      code: 1,
      complaint: `kleinhirn ack: no answer within 0.05 s from "${address}"`,
    });
  });

  test("needs a supervisor", async () => {
    const gone = join(folder, "gone");
    expect(await ack({ KLEINHIRN_SOCKET: gone, KLEINHIRN_WORKER_ID: "w-1" })).toEqual({
      code: 1,
      complaint: `kleinhirn ack: no supervisor listens at "${gone}" (ENOENT)`,
    });
    const file = join(folder, "file");
    writeFileSync(file, "");
    expect(await ack({ KLEINHIRN_SOCKET: file, KLEINHIRN_WORKER_ID: "w-1" }, 400)).toEqual({
      code: 1,
      complaint: `kleinhirn ack: no supervisor listens at "${file}" (ECONNREFUSED)`,
    });
  });

  test("waits while the backlog is full: that is no sign that nobody listens", async () => {
    const address = join(folder, "socket");
    const program = `Bun.listen({ unix: process.argv.at(-1), socket: { data: (s) => s.end('{"ok":true}\\n') } }); console.log("up")`;
    const busy = Bun.spawn([process.execPath, "-e", program, address], { stdout: "pipe" });
    cleanups.push(() => busy.kill("SIGKILL"));
    await busy.stdout.getReader().read();
    busy.kill("SIGSTOP");
    const crowd = await fillBacklog(address);
    const outcome = ack({ KLEINHIRN_SOCKET: address, KLEINHIRN_WORKER_ID: "w-1" });
    for (const socket of crowd) socket.terminate();
    busy.kill("SIGCONT");
    expect(await outcome).toEqual({ code: 0, complaint: "" });
    busy.kill("SIGKILL");
    await busy.exited;
  });
});

describe("over the original's descriptor", () => {
  test("sends the same line", async () => {
    const file = join(folder, "acks");
    const fd = openSync(file, "w");
    cleanups.push(() => closeSync(fd));
    const env = { KLEINHIRN_STATUS_FD: String(fd), KLEINHIRN_WORKER_ID: "w-1" };
    expect(await ack(env)).toEqual({ code: 0, complaint: "" });
    expect(readFileSync(file, "utf8")).toBe('{"action":"ack","id":"w-1"}\n');
  });

  test.each([
    ["999999", "it is not open in this process (EBADF)"],
    ["-1", "that is no descriptor"],
    ["stderr", "that is no descriptor"],
  ])("says what is wrong with %s", async (descriptor, complaint) => {
    expect(await ack({ KLEINHIRN_STATUS_FD: descriptor, KLEINHIRN_WORKER_ID: "w-1" })).toEqual({
      code: 1,
      complaint: `kleinhirn ack: KLEINHIRN_STATUS_FD="${descriptor}": ${complaint}`,
    });
  });
});

describe("not from a worker", () => {
  test.each([
    [{}, "KLEINHIRN_WORKER_ID and KLEINHIRN_SOCKET not set"],
    [{ KLEINHIRN_WORKER_ID: "w-1" }, "KLEINHIRN_SOCKET not set"],
    [{ KLEINHIRN_SOCKET: "/run/s" }, "KLEINHIRN_WORKER_ID not set"],
    [{ KLEINHIRN_SOCKET: "/run/s", KLEINHIRN_WORKER_ID: "" }, "KLEINHIRN_WORKER_ID not set"],
    [{ KLEINHIRN_STATUS_FD: "3" }, "KLEINHIRN_WORKER_ID not set"],
  ])("%j is explained", async (env: Record<string, string>, complaint) => {
    expect(await ack(env)).toEqual({ code: 64, complaint: expect.stringContaining(complaint) });
  });
});
