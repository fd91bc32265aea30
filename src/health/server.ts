import type { ListenAddress } from "../config/config.ts";
import type { Verdict } from "../core/health.ts";
import { nameError } from "../error-code.ts";
import { formatUrl } from "./address.ts";
import { HealthServerError } from "./health-server-error.ts";
import { listenForProbes, type ProbeListener } from "./probe-listener.ts";
import type { RequestHead } from "./request-reader.ts";
import type { Response } from "./response.ts";
import { answer } from "./routes.ts";
import { removeStaleSocket } from "./stale-socket.ts";

export type HealthServerOptions = {
  readonly listen: ListenAddress;
  /** Path of the overall answer. */
  readonly endpoint: string;
  /** How many connections may be open at a time; see `ProbeListenerOptions`. */
  readonly maxConnections: number;
  /** Asked for each answer; it should be cheap. */
  readonly verdict: () => Verdict;
};

export type HealthServer = {
  /** Of the overall answer, with the port that was really taken; `unix:/path:/healthz` for a Unix socket. */
  readonly url: string;
  /** Listens no more, closes every connection, and removes the socket file. */
  stop(): void;
};

/**
 * Serves the health endpoints. Who may connect to a Unix socket follows from the umask, as for any file.
 *
 * @throws HealthServerError when the address can't be listened on.
 */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const { listen, endpoint } = options;
  const { port, stop } = await listenOn(options);
  const actual = listen.kind === "tcp" && port !== undefined ? { ...listen, port } : listen;
  return { url: formatUrl(actual, endpoint), stop };
}

async function listenOn(options: HealthServerOptions): Promise<ProbeListener> {
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

function serve({ listen, endpoint, maxConnections, verdict }: HealthServerOptions): ProbeListener {
  return listenForProbes({
    listen,
    maxConnections,
    respond: (head) => respond(head, verdict(), endpoint),
  });
}

function respond({ method, target, accept }: RequestHead, verdict: Verdict, endpoint: string): Response {
  return answer({ method, path: pathOf(target), accept }, verdict, endpoint);
}

/**
 * No place for the URL class, which would throw, or make another path out of `//a/../b`. The path of a whole address may be
 * missing, and then is `/` (RFC 9110 section 4.2.3).
 */
function pathOf(target: string): string {
  const [path = ""] = target.replace(/^[a-z]+:\/\/[^/?#]*/i, "").split(/[?#]/, 1);
  return path === "" ? "/" : path;
}
