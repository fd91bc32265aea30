import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ListenAddress } from "../../src/config/config.ts";
import type { Verdict } from "../../src/core/health.ts";
import { HealthServerError } from "../../src/health/health-server-error.ts";
import { type HealthServer, startHealthServer } from "../../src/health/server.ts";
import { waitUntil } from "../helpers/wait.ts";
import { setOf, verdictOf } from "./verdicts.ts";

// A busy machine may take its time; what hangs is found all the same.
setDefaultTimeout(60_000);

const loopback: ListenAddress = { kind: "tcp", hostname: "127.0.0.1", port: 0 };

let folder = "";
const cleanups: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kleinhirn-health-"));
});

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
  rmSync(folder, { recursive: true });
});

async function start(
  listen: ListenAddress,
  verdict: () => Verdict = () => verdictOf(),
  maxConnections = 2048,
): Promise<HealthServer> {
  const server = await startHealthServer({ listen, endpoint: "/healthz", maxConnections, verdict });
  cleanups.push(() => server.stop());
  return server;
}

async function startError(listen: ListenAddress): Promise<HealthServerError> {
  const outcome = await start(listen).catch((error: unknown) => error);
  if (outcome instanceof HealthServerError) return outcome;
  throw new Error(`no HealthServerError but ${outcome}`);
}

function portOf(server: HealthServer): number {
  return Number(new URL(server.url).port);
}

/** What comes back for these bytes on one connection, up to and with the given end. */
async function exchange(port: number, request: string, end: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let received = "";
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_socket, chunk) => {
        received += chunk.toString();
        if (received.includes(end)) resolve(received);
      },
      close: () => reject(new Error(`closed after ${JSON.stringify(received)}`)),
    },
  });
  socket.write(request);
  try {
    return await promise;
  } finally {
    socket.terminate();
  }
}

describe("over TCP", () => {
  test("answers probes with the verdict of the moment, on the port that it says", async () => {
    let isReady = false;
    const server = await start(loopback, () => verdictOf({ overall: isReady }));
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*\/healthz$/);
    const first = await fetch(server.url);
    expect([first.status, await first.text()]).toEqual([503, "unhealthy\nweb: running, 3 of 3 ready\n"]);
    isReady = true;
    const second = await fetch(`${server.url}?verbose&x=/livez#there`);
    expect([second.status, await second.text()]).toEqual([200, "ok\nweb: running, 3 of 3 ready\n"]);
    expect(second.headers.get("cache-control")).toBe("no-store");
    const json = await fetch(server.url, { headers: { Accept: "application/json" } });
    expect(await json.json()).toMatchObject({ status: "ok", name: "shop" });
    expect((await fetch(new URL("/other", server.url))).status).toBe(404);
  });

  test("gives HEAD the headers of GET, and no body", async () => {
    const server = await start(loopback, () => verdictOf({ sets: [setOf({ name: "größe" })] }));
    const get = await fetch(server.url);
    const { length } = await get.bytes();
    const answer = await exchange(portOf(server), "HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n");
    const [head = "", body] = answer.split("\r\n\r\n");
    expect(body).toBe("");
    expect(head).toMatch(new RegExp(`^content-length: ${length}$`, "im"));
    expect(head).toContain("HTTP/1.1 200 OK");
    for (const name of ["Content-Type", "Cache-Control", "Vary"]) {
      expect(head).toContain(`${name}: ${get.headers.get(name)}`);
    }
  });

  test("answers those who send no Host, as HTTP/1.0 allows", async () => {
    const port = portOf(await start(loopback));
    expect(await exchange(port, "GET /healthz?x HTTP/1.0\r\n\r\n", "ready\n")).toStartWith("HTTP/1.1 200 OK");
    expect(await exchange(port, "GET //evil/../healthz HTTP/1.0\r\n\r\n", "found\n")).toStartWith(
      "HTTP/1.1 404",
    );
    expect(
      await exchange(port, "GET http://example.com/livez HTTP/1.1\r\nHost: a\r\n\r\n", "ready\n"),
    ).toStartWith("HTTP/1.1 200");
  });

  test("takes a whole address without a path for the root", async () => {
    const server = await startHealthServer({
      listen: loopback,
      endpoint: "/",
      maxConnections: 10,
      verdict: () => verdictOf(),
    });
    cleanups.push(() => server.stop());
    const request = "GET http://example.com HTTP/1.1\r\nHost: example.com\r\n\r\n";
    expect(await exchange(portOf(server), request, "\r\n\r\n")).toStartWith("HTTP/1.1 200");
  });

  test("refuses other methods without reading what they bring, however much they announce", async () => {
    const port = portOf(await start(loopback));
    const request =
      "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\nthe first of it";
    const answer = await exchange(port, request, "allowed\n");
    expect(answer).toStartWith("HTTP/1.1 405 Method Not Allowed");
    expect(answer).toContain("Allow: GET, HEAD");
  });

  test("answers in spite of 2,000 connections that say nothing, or half of something", async () => {
    const server = await start(loopback);
    const port = portOf(server);
    const idle = await Promise.all(
      Array.from({ length: 2000 }, () => Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } })),
    );
    cleanups.push(() => {
      for (const socket of idle) socket.terminate();
    });
    for (const socket of idle.slice(0, 1000)) socket.write("GET /healthz HTTP/1.1\r\nHo");
    expect((await fetch(server.url)).status).toBe(200);
  });

  test("beyond its bound the oldest connection goes: half a request keeps nobody else out", async () => {
    const server = await start(loopback, undefined, 10);
    const port = portOf(server);
    const closed: number[] = [];
    const connect = async (index: number) => {
      const handlers = { data() {}, close: () => void closed.push(index) };
      const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: handlers });
      cleanups.push(() => socket.terminate());
      socket.write("GET /healthz HTTP/1.1\r\n");
    };
    for (let index = 0; index < 15; index++) await connect(index);
    await waitUntil(() => closed.length === 5);
    expect(closed.toSorted()).toEqual([0, 1, 2, 3, 4]);
    expect((await fetch(server.url)).status).toBe(200);
    await waitUntil(() => closed.includes(5));
  });

  test("a request that comes byte by byte is answered once, and the connection ended", async () => {
    const port = portOf(await start(loopback));
    let received = "";
    let isClosed = false;
    const handlers = {
      data: (_: unknown, chunk: Buffer) => {
        received += chunk.toString();
      },
      close: () => {
        isClosed = true;
      },
    };
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: handlers });
    for (const byte of "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /livez HTTP/1.1\r\n\r\n") {
      socket.write(byte);
      socket.flush();
      await new Promise(setImmediate);
    }
    await waitUntil(() => isClosed);
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200"]);
    expect(received).toContain("Connection: close");
  });

  test("who closes its half of the connection after the question still gets the whole answer", async () => {
    const sets = Array.from({ length: 20_000 }, (_, index) => setOf({ name: `set-${index}` }));
    const server = await start(loopback, () => verdictOf({ sets }));
    const port = portOf(server);
    const expected = (await (await fetch(server.url)).text()).length;
    expect(expected).toBeGreaterThan(500_000);
    let received = "";
    const ended = Promise.withResolvers<void>();
    await Bun.connect({
      hostname: "127.0.0.1",
      port,
      allowHalfOpen: true,
      socket: {
        open: (socket) => {
          socket.write("GET /healthz HTTP/1.0\r\n\r\n");
          socket.shutdown();
        },
        data: (_socket, chunk) => {
          received += chunk.toString("latin1");
        },
        close: () => ended.resolve(),
      },
    });
    await ended.promise;
    expect(received.split("\r\n\r\n")[1]).toHaveLength(expected);
  });

  test("what is no request is told so, and no more is read of it", async () => {
    const port = portOf(await start(loopback));
    expect(await exchange(port, "\x16\x03\x01\x02\x00 hello\r\n\r\n", "\r\n\r\n")).toStartWith(
      "HTTP/1.1 400 ",
    );
    const tooLong = `GET / HTTP/1.1\r\nX: ${"x".repeat(9000)}`;
    expect(await exchange(port, tooLong, "\r\n\r\n")).toStartWith("HTTP/1.1 431 ");
    expect(await exchange(port, "PRI * HTTP/2.0\r\n\r\n", "\r\n\r\n")).toStartWith("HTTP/1.1 505 ");
  });

  test("listens on IPv6, and is reached over IPv4 too when that is everything", async () => {
    const server = await start({ kind: "tcp", hostname: "::", port: 0 });
    expect(server.url).toMatch(/^http:\/\/\[::\]:[1-9]\d*\/healthz$/);
    expect((await fetch(`http://127.0.0.1:${portOf(server)}/livez`)).status).toBe(200);
  });

  test("leaves the port free when it is stopped", async () => {
    const server = await start(loopback);
    const port = portOf(server);
    server.stop();
    expect(await fetch(server.url).catch(({ code }) => code)).toBe("ECONNREFUSED");
    const again = await start({ kind: "tcp", hostname: "127.0.0.1", port });
    expect(portOf(again)).toBe(port);
  });
});

describe("an address that can't be had", () => {
  test("is taken", async () => {
    const port = portOf(await start(loopback));
    const error = await startError({ kind: "tcp", hostname: "127.0.0.1", port });
    expect(error.code).toBe("EADDRINUSE");
    expect(error.message).toBe(
      `health_check.listen_addr: can't listen on 127.0.0.1:${port}: another process listens there (EADDRINUSE); stop it or choose another port`,
    );
  });

  test("is none of this machine's", async () => {
    // TEST-NET-1 of RFC 5737: nobody has it.
    const error = await startError({ kind: "tcp", hostname: "192.0.2.1", port: 0 });
    expect([error.code, error.message]).toEqual(["EADDRNOTAVAIL", expect.stringContaining("192.0.2.1:0")]);
  });

  test("has a path that can't be: no folder, too long", async () => {
    const missing = await startError({ kind: "unix", path: join(folder, "none/health.sock") });
    expect([missing.code, missing.message]).toEqual(["ENOENT", expect.stringContaining("create it first")]);
    const long = await startError({ kind: "unix", path: join(folder, "x".repeat(120)) });
    expect([long.code, long.message]).toEqual(["EINVAL", expect.stringContaining("107 bytes")]);
  });

  test.each(["EACCES", "EPERM", "EAFNOSUPPORT", "EROFS", "ENOTSOCK", "EMFILE"])(
    "says what %s means",
    (code) => {
      for (const address of [
        { ...loopback, port: 80 },
        { kind: "unix", path: "/run/h.sock" },
      ] as const) {
        const { message } = new HealthServerError(address, code, undefined);
        expect(message).toContain(address.kind === "unix" ? "unix:/run/h.sock" : "127.0.0.1:80");
        if (code !== "ENOTSOCK") expect(message).toContain(code);
      }
    },
  );
});

describe("over a Unix socket", () => {
  test("answers, and leaves nothing behind", async () => {
    const path = join(folder, "health.sock");
    const server = await start({ kind: "unix", path });
    expect(server.url).toBe(`unix:${path}:/healthz`);
    expect((await fetch("http://localhost/readyz", { unix: path })).status).toBe(200);
    server.stop();
    expect(existsSync(path)).toBeFalse();
  });

  test("takes over what a dead process has left", async () => {
    const path = join(folder, "health.sock");
    const killed = Bun.spawn([process.execPath, "-e", listenAndSay, path], { stdout: "pipe" });
    cleanups.push(() => killed.kill("SIGKILL"));
    await killed.stdout.getReader().read();
    killed.kill("SIGKILL");
    await killed.exited;
    expect(existsSync(path)).toBeTrue();
    await start({ kind: "unix", path });
    expect((await fetch("http://localhost/livez", { unix: path })).status).toBe(200);
  });

  test("leaves alone what somebody listens on", async () => {
    const path = join(folder, "health.sock");
    await start({ kind: "unix", path }, () => verdictOf({ live: false }));
    const error = await startError({ kind: "unix", path });
    expect([error.code, error.message]).toEqual(["EADDRINUSE", expect.stringContaining(`unix:${path}`)]);
    expect((await fetch("http://localhost/livez", { unix: path })).status).toBe(503);
  });

  test("does not remove what another has put in its place", async () => {
    const path = join(folder, "health.sock");
    const first = await start({ kind: "unix", path });
    rmSync(path);
    await start({ kind: "unix", path });
    first.stop();
    expect((await fetch("http://localhost/livez", { unix: path })).status).toBe(200);
  });

  test("never deletes what is no socket", async () => {
    const path = join(folder, "precious");
    writeFileSync(path, "data");
    const error = await startError({ kind: "unix", path });
    expect([error.code, error.message]).toEqual(["ENOTSOCK", expect.stringContaining("left alone")]);
    expect(readFileSync(path, "utf8")).toBe("data");
  });
});

const listenAndSay = `
  Bun.listen({ unix: process.argv.at(-1), socket: { data() {} } });
  console.log("listening");
`;
