import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { isSelfOrDescendant, peerCredentials } from "../../src/system/peer.ts";
import { type ProcessStat, readProcessStat } from "../../src/system/process-table.ts";
import { waitUntil } from "../helpers/wait.ts";
import { Fixture, killQuietly } from "./support/fixture.ts";
import { TemporaryFolder } from "./support/temporary-folder.ts";

setDefaultTimeout(60_000);

const started: number[] = [];
afterEach(() => started.splice(0).forEach(killQuietly));

describe("the credentials of a peer", () => {
  test("are those of the process that connected", async () => {
    using folder = new TemporaryFolder();
    const connected = Promise.withResolvers<ReturnType<typeof peerCredentials>>();
    const server = Bun.listen({
      unix: folder.file("socket"),
      socket: { open: (socket) => connected.resolve(peerCredentials(descriptorOf(socket))), data() {} },
    });
    await using fixture = new Fixture("connect.ts", { args: [folder.file("socket")] });
    const credentials = await connected.promise;
    server.stop(true);
    expect(credentials).toEqual({
      pid: fixture.pid,
      uid: process.getuid?.() ?? -1,
      gid: process.getgid?.() ?? -1,
    });
  });

  test("are an error for what is no socket", () => {
    const descriptor = openSync("/dev/null", "r");
    expect(() => peerCredentials(descriptor)).toThrow("ENOTSOCK");
    closeSync(descriptor);
    expect(() => peerCredentials(descriptor)).toThrow("EBADF");
  });
});

describe("a descendant", () => {
  test("is found in the real process table, by parents and by session, and strangers are not", async () => {
    const script =
      "sh -c 'sleep 1000 & echo $!; wait' & (setsid sleep 1000 & echo $!); sleep 1000 & echo $!; wait";
    const worker = Bun.spawn(["sh", "-c", script], { detached: true, stdout: "pipe" });
    started.push(worker.pid);
    let text = "";
    for await (const chunk of worker.stdout) {
      text += new TextDecoder().decode(chunk);
      if (text.split("\n").length === 4) break;
    }
    const pids = text.trim().split("\n").map(Number);
    started.push(...pids);
    expect(pids.length).toBe(3);
    expect(isSelfOrDescendant(worker.pid, worker.pid)).toBe(true);
    // Only the one that leaves the session by itself, and whose parent ends, is lost; both take it a moment.
    await waitUntil(() => pids.filter((pid) => !isSelfOrDescendant(pid, worker.pid)).length === 1);
    const [lost = 0] = pids.filter((pid) => !isSelfOrDescendant(pid, worker.pid));
    expect(readProcessStat(lost)).toMatchObject({ session: lost });
    expect(isSelfOrDescendant(process.pid, worker.pid)).toBe(false);
    expect(isSelfOrDescendant(1, worker.pid)).toBe(false);
    expect(isSelfOrDescendant(worker.pid, process.pid)).toBe(true);
  });

  function table(entries: Readonly<Record<number, readonly [parent: number, session: number]>>) {
    return (pid: number): ProcessStat | undefined => {
      const entry = entries[pid];
      return entry && { state: "S", parent: entry[0], group: pid, session: entry[1] };
    };
  }

  test("of a process that has vanished, or that is in another namespace, is nobody's", () => {
    expect(isSelfOrDescendant(50, 10, table({}))).toBe(false);
    expect(isSelfOrDescendant(50, 10, table({ 50: [40, 1] }))).toBe(false);
    expect(isSelfOrDescendant(0, 10, table({ 0: [10, 10] }))).toBe(false);
    expect(isSelfOrDescendant(0, 0, table({}))).toBe(false);
  });

  test("counts by the worker's session when its parent is lost", () => {
    expect(isSelfOrDescendant(50, 10, table({ 50: [1, 10] }))).toBe(true);
    expect(isSelfOrDescendant(50, 10, table({ 50: [1, 11] }))).toBe(false);
    // Its ancestor is still in the worker's session, though it has one of its own.
    expect(isSelfOrDescendant(50, 10, table({ 50: [40, 50], 40: [1, 10] }))).toBe(true);
  });

  test("is not looked for in circles", () => {
    expect(isSelfOrDescendant(50, 10, table({ 50: [40, 1], 40: [50, 1] }))).toBe(false);
  });
});

/** Bun has it, its types don't. */
function descriptorOf(socket: object): number {
  if ("fd" in socket && typeof socket.fd === "number") return socket.fd;
  throw new Error("a socket without a descriptor");
}
