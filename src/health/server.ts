import type { Server } from "bun";
import type { ListenAddress } from "../config/config.ts";
import type { Verdict } from "../core/health.ts";
import { nameError } from "../error-code.ts";
import { formatUrl } from "./address.ts";
import { HealthServerError } from "./health-server-error.ts";
import { answer } from "./routes.ts";
import { removeStaleSocket } from "./stale-socket.ts";

export type HealthServerOptions = {
  readonly listen: ListenAddress;
  /** Path of the overall answer. */
  readonly endpoint: string;
  /** Asked for each answer; it should be cheap. */
  readonly verdict: () => Verdict;
};

export type HealthServer = {
  /** Of the overall answer, with the port that was really taken; `unix:/path:/healthz` for a Unix socket. */
  readonly url: string;
  /** Listens no more and removes the socket file. A connection that never asked anything may last as long as the process. */
  stop(): void;
};

/**
 * Serves the health endpoints. Bun disconnects whoever is silent for 10 seconds. Who may connect to a Unix socket follows
 * from the umask, as for any file.
 *
 * @throws HealthServerError when the address can't be listened on.
 */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const { listen, endpoint } = options;
  const server = await listenOn(options);
  const port = server.port;
  const actual = listen.kind === "tcp" && port !== undefined ? { ...listen, port } : listen;
  return {
    url: formatUrl(actual, endpoint),
    stop: () => {
      // The promise is for the end of the last connection; nothing here waits for it.
      void server.stop(true);
    },
  };
}

async function listenOn(options: HealthServerOptions): Promise<Server<undefined>> {
  const { listen } = options;
  try {
    return serve(options);
  } catch (error) {
    const code = nameError(error);
    if (listen.kind !== "unix" || code !== "EADDRINUSE") throw new HealthServerError(listen, code, error);
    const obstacle = await removeStaleSocket(listen.path);
    if (obstacle !== undefined) throw new HealthServerError(listen, obstacle, error);
  }
  try {
    return serve(options);
  } catch (error) {
    throw new HealthServerError(listen, nameError(error), error);
  }
}

function serve({ listen, endpoint, verdict }: HealthServerOptions): Server<undefined> {
  // Bun's default for `reusePort` is true where `development` is off, as with NODE_ENV=production: two supervisors would
  // then share a port and each get half of the probes.
  const address =
    listen.kind === "unix"
      ? { unix: listen.path }
      : { hostname: listen.hostname, port: listen.port, reusePort: false };
  return Bun.serve({
    ...address,
    // Of a body nothing is read, so that no size of it needs another answer than 405.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    // Bun's page for errors in development would show paths and source code.
    development: false,
    fetch: (request) => respond(request, verdict(), endpoint),
    error: answerMistake,
  });
}

/** A mistake of ours ends the process as anywhere else, instead of being printed beside the log: thrown where Bun doesn't catch it. */
function answerMistake(mistake: Error): Response {
  queueMicrotask(() => {
    throw mistake;
  });
  return new Response(null, { status: 500 });
}

function respond(request: Request, verdict: Verdict, endpoint: string): Response {
  const { method } = request;
  const accept = request.headers.get("accept");
  const { status, headers, body } = answer({ method, path: pathOf(request.url), accept }, verdict, endpoint);
  if (method !== "HEAD") return new Response(body, { status, headers });
  return new Response(null, {
    status,
    headers: { ...headers, "Content-Length": String(Buffer.byteLength(body)) },
  });
}

/** Bun gives the bare target of a request without a Host header, so this is no place for the URL class, which would throw. */
function pathOf(target: string): string {
  const [path = ""] = target.replace(/^[a-z]+:\/\/[^/?#]*/i, "").split(/[?#]/, 1);
  return path;
}
