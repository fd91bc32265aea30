import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HealthOptions, type HealthPorts, runHealth } from "../../src/cli/health.ts";
import { findHealthUrl } from "../../src/cli/health-url.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { startHealthServer } from "../../src/health/server.ts";
import { verdictOf } from "../health/verdicts.ts";

// A busy machine may take its time; what hangs is found all the same.
setDefaultTimeout(60_000);

const cleanups: (() => void)[] = [];
const proxyVariables = ["http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"];

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kleinhirn-health-"));
  for (const name of proxyVariables) restoreAfterwards(name, process.env[name]);
});

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
  rmSync(folder, { recursive: true });
});

function restoreAfterwards(name: string, value: string | undefined): void {
  cleanups.push(() => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  });
}

async function health(options: Partial<HealthOptions>, ports: Partial<HealthPorts> = {}) {
  const printed: string[] = [];
  const complaints: string[] = [];
  const code = await runHealth(
    { url: undefined, configFile: undefined, ...options },
    { print: (text) => printed.push(text), complain: (text) => complaints.push(text), ...ports },
  );
  return { code, printed: printed.join(""), complaint: complaints.join("\n") };
}

/** Any answer at all, so that what `health` does doesn't hang on what our own server says. */
function serve(respond: (request: Request) => Response | Promise<Response>) {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: respond });
  cleanups.push(() => void server.stop(true));
  return `http://127.0.0.1:${server.port}`;
}

describe("the answer", () => {
  test.each([
    [true, 0, "ok\nweb: running, 3 of 3 ready\n"],
    [false, 1, "unhealthy\nweb: running, 3 of 3 ready\n"],
  ])("is printed, and healthy = %p is exit status %d", async (overall, code, printed) => {
    const server = await startHealthServer({
      listen: { kind: "tcp", hostname: "127.0.0.1", port: 0 },
      endpoint: "/healthz",
      maxConnections: 10,
      verdict: () => verdictOf({ overall }),
    });
    cleanups.push(() => server.stop());
    expect(await health({ url: server.url })).toEqual({ code, printed, complaint: "" });
  });

  test("is 200 or it is not healthy", async () => {
    const url = serve(({ url }) => new Response("body", { status: Number(new URL(url).pathname.slice(1)) }));
    for (const status of [201, 204, 404, 500])
      expect((await health({ url: `${url}/${status}` })).code).toBe(1);
    expect((await health({ url: `${url}/200` })).code).toBe(0);
  });

  test("is that of the address, not of where it points", async () => {
    const url = serve(({ url }) =>
      url.endsWith("/ok") ? new Response("ok\n") : Response.redirect("/ok", 302),
    );
    expect(await health({ url: `${url}/elsewhere` })).toMatchObject({ code: 1 });
  });

  test("doesn't come from a proxy", async () => {
    const proxy = serve(() => new Response("from the proxy\n"));
    process.env.http_proxy = proxy;
    process.env.HTTP_PROXY = proxy;
    process.env.no_proxy = "example.com";
    process.env.NO_PROXY = "example.com";
    const url = serve(() => new Response("from the server\n"));
    expect(await health({ url })).toMatchObject({ printed: "from the server\n" });
  });

  test("is waited for, but not for ever", async () => {
    const url = serve(() => new Promise<Response>(() => {}));
    expect(await health({ url }, { timeoutMs: 50 })).toEqual({
      code: 1,
      printed: "",
      complaint: `kleinhirn health: no answer within 0.05 s at "${url}"`,
    });
  });

  test("may be missing altogether", async () => {
    const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const url = `http://127.0.0.1:${taken.port}/healthz`;
    taken.stop(true);
    expect(await health({ url })).toEqual({
      code: 1,
      printed: "",
      complaint: `kleinhirn health: nothing answers (ECONNREFUSED) at "${url}"`,
    });
    expect(await health({ url: `unix:${join(folder, "none")}` })).toMatchObject({
      code: 1,
      complaint: expect.stringContaining("nothing answers (ENOENT)"),
    });
  });
});

describe("the address", () => {
  test("may leave out the path, and may be one for listening", async () => {
    const url = serve((request) => new Response(new URL(request.url).pathname));
    const port = new URL(url).port;
    expect((await health({ url })).printed).toBe("/healthz");
    expect((await health({ url: `http://0.0.0.0:${port}/readyz` })).printed).toBe("/readyz");
    expect((await health({ url: `http://[::]:${port}/readyz` })).printed).toBe("/readyz");
  });

  test("may be a Unix socket, with a path or without", async () => {
    const unix = join(folder, "health.sock");
    const server = Bun.serve({ unix, fetch: (request) => new Response(new URL(request.url).pathname) });
    cleanups.push(() => void server.stop(true));
    expect((await health({ url: `unix:${unix}` })).printed).toBe("/healthz");
    expect((await health({ url: `unix:${unix}:/livez` })).printed).toBe("/livez");
  });

  test.each([
    "",
    "nonsense",
    "127.0.0.1:3000",
    "https://127.0.0.1/",
    "ftp://host/",
    "unix:",
    "unix::/healthz",
  ])("is refused when it is none: %p", async (url) => {
    expect(health({ url })).rejects.toThrow(UsageError);
  });

  test("is asked for only when it isn't given", async () => {
    const url = serve(() => new Response("found\n"));
    const asked: (string | undefined)[] = [];
    const findUrl = async (configFile: string | undefined) => {
      asked.push(configFile);
      return url;
    };
    expect((await health({ url }, { findUrl })).printed).toBe("found\n");
    expect(asked).toEqual([]);
    expect((await health({ configFile: "a.toml" }, { findUrl })).printed).toBe("found\n");
    expect((await health({}, { findUrl })).printed).toBe("found\n");
    expect(asked).toEqual(["a.toml", undefined]);
    expect(await health({}, { findUrl: async () => undefined })).toMatchObject({ code: 1, printed: "" });
  });
});

describe("the address in the configuration", () => {
  function find(toml: string) {
    const file = join(folder, "kleinhirn.toml");
    writeFileSync(
      file,
      `[supervisor]\nname = "shop"\n[worker]\ntype = "program"\ncmdline = ["true"]\n${toml}`,
    );
    const complaints: string[] = [];
    return { url: findHealthUrl(file, (text) => complaints.push(text)), complaint: complaints.join("\n") };
  }

  test("is found", () => {
    expect(find('[health_check]\nlisten_addr = "[::]:3000"\n').url).toBe("http://[::]:3000/healthz");
    expect(find('[health_check]\nlisten_addr = "127.0.0.1:80"\nendpoint = "/up"\n').url).toBe(
      "http://127.0.0.1:80/up",
    );
    expect(find('[health_check]\nlisten_addr = "unix:health.sock"\n').url).toBe(
      `unix:${join(folder, "health.sock")}:/healthz`,
    );
  });

  test("may not be there", () => {
    expect(find("")).toEqual({
      url: undefined,
      complaint: expect.stringContaining("has no health_check.listen_addr"),
    });
  });
});
