import type { Verdict } from "../core/health.ts";
import { prefersJson } from "./accept.ts";
import { renderJson, renderText } from "./report.ts";

export type HealthRequest = {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The Accept header. */
  readonly accept: string | null;
};

export type HealthAnswer = {
  readonly status: 200 | 404 | 405 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

const plainText = "text/plain; charset=utf-8";

/**
 * Answers a probe (specification section 8). The answer to HEAD is that to GET; it is for the server to leave out the body.
 * The configured endpoint goes before `/readyz` and `/livez`, should it have the name of one of them.
 */
export function answer(request: HealthRequest, verdict: Verdict, endpoint: string): HealthAnswer {
  const isOk = judge(request.path, verdict, endpoint);
  if (isOk === undefined) return refuse(404, {}, "not found");
  if (request.method !== "GET" && request.method !== "HEAD") {
    return refuse(405, { Allow: "GET, HEAD" }, "method not allowed");
  }
  const isJson = prefersJson(request.accept);
  return {
    status: isOk ? 200 : 503,
    headers: {
      "Content-Type": isJson ? "application/json" : plainText,
      "Cache-Control": "no-store",
      Vary: "Accept",
    },
    body: isJson ? renderJson(isOk, verdict) : renderText(isOk, verdict),
  };
}

function judge(path: string, verdict: Verdict, endpoint: string): boolean | undefined {
  switch (path) {
    case endpoint:
      return verdict.overall;
    case "/readyz":
      return verdict.ready;
    case "/livez":
      return verdict.live;
    default:
      return undefined;
  }
}

function refuse(status: 404 | 405, headers: Readonly<Record<string, string>>, reason: string): HealthAnswer {
  return {
    status,
    headers: { ...headers, "Content-Type": plainText, "Cache-Control": "no-store" },
    body: `${reason}\n`,
  };
}
