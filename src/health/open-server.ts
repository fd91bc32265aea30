import type { Config } from "../config/config.ts";
import type { Verdict } from "../core/health.ts";
import type { LogEvent } from "../core/log-event.ts";
import { StartError } from "../start-error.ts";
import { HealthServerError } from "./health-server-error.ts";
import { type HealthServer, startHealthServer } from "./server.ts";

/** @throws StartError when the address can't be had; undefined where none is configured. */
export async function openHealthServer(
  healthCheck: Config["healthCheck"],
  maxConnections: number,
  verdict: () => Verdict,
  log: (event: LogEvent) => void,
): Promise<HealthServer | undefined> {
  if (healthCheck === undefined) return undefined;
  try {
    const server = await startHealthServer({ ...healthCheck, maxConnections, verdict });
    const fields = { url: server.url, endpoint: healthCheck.endpoint };
    log({ level: "info", message: "health server listening", fields });
    return server;
  } catch (error) {
    if (!(error instanceof HealthServerError)) throw error;
    throw new StartError("unavailable", error.message, { cause: error });
  }
}
