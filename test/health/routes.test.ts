import { describe, expect, test } from "bun:test";
import { prefersJson } from "../../src/health/accept.ts";
import { answer } from "../../src/health/routes.ts";
import { setOf, verdictOf } from "./verdicts.ts";

const endpoint = "/healthz";

function get(path: string, verdict = verdictOf(), accept: string | null = null) {
  return answer({ method: "GET", path, accept }, verdict, endpoint);
}

describe("each path answers by its own part of the verdict", () => {
  test.each([
    [{ overall: true, ready: true, live: true }, [200, 200, 200]],
    [{ overall: false, ready: true, live: true }, [503, 200, 200]],
    [{ overall: false, ready: false, live: true }, [503, 503, 200]],
    [{ overall: false, ready: false, live: false }, [503, 503, 503]],
  ])("%j: %j", (verdict, statuses) => {
    const answers = [endpoint, "/readyz", "/livez"].map((path) => get(path, verdictOf(verdict)));
    expect(answers.map(({ status }) => status)).toEqual(statuses as (typeof answers)[number]["status"][]);
    for (const { status, body } of answers) expect(body).toStartWith(status === 200 ? "ok\n" : "unhealthy\n");
  });

  test("the overall one stands where the configuration puts it", () => {
    const at = (path: string) =>
      answer({ method: "GET", path, accept: null }, verdictOf({ overall: false }), "/up/and/running").status;
    expect([at("/up/and/running"), at("/healthz"), at("/readyz")]).toEqual([503, 404, 200]);
  });

  test.each(["/", "", "/healthz/", "/Healthz", "//healthz", "/healthz%20", "/favicon.ico", "/__proto__"])(
    "%j is not found",
    (path) => {
      expect(get(path)).toMatchObject({ status: 404, body: "not found\n" });
    },
  );
});

describe("methods", () => {
  test("HEAD is answered as GET", () => {
    const request = { path: "/readyz", accept: null };
    expect(answer({ ...request, method: "HEAD" }, verdictOf(), endpoint)).toEqual(get("/readyz"));
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get"])("%s is not allowed", (method) => {
    const refused = answer({ method, path: endpoint, accept: null }, verdictOf(), endpoint);
    expect(refused).toMatchObject({ status: 405, headers: { Allow: "GET, HEAD" } });
    expect(answer({ method, path: "/other", accept: null }, verdictOf(), endpoint).status).toBe(404);
  });
});

describe("plain text", () => {
  test("says why, a line for each set", () => {
    const sets = [
      setOf({ state: "underprovisioned", ready: 2, lastDeath: { cause: "signal KILL", agoMs: 3999 } }),
      setOf({ name: "jobs", count: 1, ready: 1 }),
      setOf({ name: "mail", state: "loading", ready: 0, detail: "loading generation 2" }),
    ];
    const { headers, body } = get(endpoint, verdictOf({ overall: false, sets }));
    expect(body).toBe(
      [
        "unhealthy",
        "web: underprovisioned, 2 of 3 ready, last death: signal KILL 3 s ago",
        "jobs: running, 1 of 1 ready",
        "mail: loading, 0 of 3 ready, loading generation 2",
        "",
      ].join("\n"),
    );
    expect(headers).toEqual({
      "Content-Type": "text/plain; charset=utf-8",
      "Cache-Control": "no-store",
      Vary: "Accept",
    });
  });

  test.each([
    [0, "0 s"],
    [999, "0 s"],
    [119_999, "119 s"],
    [120_000, "2 min"],
    [7_199_999, "119 min"],
    [7_200_000, "2 h"],
    [47 * 3_600_000, "47 h"],
    [48 * 3_600_000, "2 d"],
    [-5, "0 s"],
  ])("a death %d ms ago was %s ago", (agoMs, ago) => {
    const sets = [setOf({ lastDeath: { cause: "status 1", agoMs } })];
    expect(get(endpoint, verdictOf({ sets })).body).toEndWith(`last death: status 1 ${ago} ago\n`);
  });

  test("has no line but its own, whatever a cause says", () => {
    const sets = [setOf({ detail: "a\nok\u001b[2J", lastDeath: { cause: "b\r\nweb: running", agoMs: 0 } })];
    expect(get(endpoint, verdictOf({ sets })).body.split("\n").length).toBe(3);
    expect(get(endpoint, verdictOf({ sets })).body).not.toMatch(/[^\P{Cc}\n]/u);
  });
});

describe("JSON", () => {
  test("says the same, and each worker", () => {
    const worker = { slot: 0, id: "w-1", phase: "ready", pid: 4242, ageMs: 1500 } as const;
    const waiting = { slot: 1, id: "", phase: "waiting", pid: undefined, ageMs: 20 } as const;
    const sets = [
      setOf({ deaths: 1, lastDeath: { cause: "status 1", agoMs: 20 }, workers: [worker, waiting] }),
    ];
    const { headers, body, status } = get("/readyz", verdictOf({ overall: false, sets }), "application/json");
    expect(status).toBe(200);
    expect(headers).toEqual({
      "Content-Type": "application/json",
      "Cache-Control": "no-store",
      Vary: "Accept",
    });
    expect(JSON.parse(body)).toEqual({
      status: "ok",
      name: "shop",
      ready: true,
      live: true,
      sets: [
        {
          name: "web",
          state: "running",
          ready: 3,
          count: 3,
          min_ready: 2,
          deaths: 1,
          last_death: { cause: "status 1", ago_ms: 20 },
          detail: null,
          workers: [
            { slot: 0, id: "w-1", phase: "ready", pid: 4242, age_ms: 1500 },
            { slot: 1, id: "", phase: "waiting", pid: null, age_ms: 20 },
          ],
        },
      ],
    });
  });

  test.each([
    [null, false],
    ["", false],
    ["*/*", false],
    ["text/plain", false],
    ["application/json", true],
    ["Application/JSON;charset=utf-8", true],
    ["application/*", true],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false],
    ["application/json, text/plain, */*", false],
    ["application/json, text/plain;q=0.9", true],
    ["application/json;q=0.5, text/plain", false],
    ["application/json;q=0.5, */*;q=0.1", true],
    ["application/json;q=0", false],
    ["application/json;q=0, */*", false],
    ["text/plain;q=0, */*", true],
    ["application/json;q=high, */*", false],
    ["application/json;q=2, */*;q=0.1", false],
    ["image/png", false],
    [",;q=,;;", false],
  ])("is for who accepts %j: %j", (accept, isJson) => {
    expect(prefersJson(accept)).toBe(isJson);
  });
});
