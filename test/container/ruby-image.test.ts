/** The example in the image that its Dockerfile makes: Ruby, the application, and kleinhirn as one file. */
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { isDeep } from "../helpers/deep.ts";
import { freePort } from "../helpers/ports.ts";
import { Running, repository } from "../helpers/running.ts";
import { supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { Binary } from "./support/binary.ts";
import { Engine } from "./support/engine.ts";
import { buildShopImage } from "./support/ruby-image.ts";
import { SlowRequest, slowSet } from "./support/slow-request.ts";

setDefaultTimeout(testTimeoutMs);

const started = await Engine.start();
if (typeof started === "string") console.warn(`the image of the example is skipped: ${started}`);
const hasEngine = typeof started !== "string";
/** Otherwise only ever handed to tests that are skipped. */
const engine: Engine = hasEngine ? started : Object.create(Engine.prototype);
let image: string;

beforeAll(() => {
  if (!hasEngine) return;
  using binary = new Binary();
  image = buildShopImage(engine, binary);
}, testTimeoutMs);
afterEach(() => {
  if (hasEngine) expect(engine.do("ps", "--quiet")).toBe("");
});
afterAll(async () => {
  if (hasEngine) await engine[Symbol.asyncDispose]();
});

const hardened = ["--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges"] as const;

/** Both sets of the example, as its own file has them. */
const shop = ["Shop::WebServer.run(KleinhirnLoader.rack_app)", "Shop::Packer.run"].map(
  (start, index) => `
    [workers.${index === 0 ? "web" : "jobs"}]
    type = "ruby"
    cwd = "/app"
    gemfile = "/app/Gemfile"
    load = "/app/config.ru"
    start_expression = "${start}"
  `,
);

const database = ["--tmpfs", "/data:mode=1777", "--env", "SHOP_DATABASE=/data/shop.sqlite3"];
const ways: readonly (readonly [name: string, flags: readonly string[]])[] = [
  ["its own user, no folder to write to but the database's", [...hardened, "--read-only-tmpfs=false"]],
  ["root", ["--user", "0"]],
];
/** Between the two, so it is only asked for when there is time. */
const deepWays: typeof ways = [["its own user, a temporary folder", hardened]];

describe.skipIf(!hasEngine)("the image of the example", () => {
  test.each([...ways, ...(isDeep ? deepWays : [])])(
    "%s: preloads once for both sets, serves, is healthy, stops",
    async (_, flags) => {
      const name = engine.newName();
      const toml = `${supervisor().replace("127.0.0.1:0", "127.0.0.1:3000")}${shop.join("")}`;
      await using running = new Running(toml, engine.run(name, image, [...flags, ...database]));
      await running.waitFor("worker set running", 2);
      expect(running.find("supervisor started")).toMatchObject({ pid: 1 });
      expect(running.all("preloader ready")).toHaveLength(1);
      const page = engine.fetchInside(name, "http://127.0.0.1:9292/");
      expect(page).toContain("Served by <strong>web.0</strong>");
      const health = engine.podman(
        "exec",
        name,
        "kleinhirn",
        "health",
        "-f",
        "/etc/kleinhirn/kleinhirn.toml",
      );
      expect(health).toMatchObject({ status: 0, stdout: expect.stringContaining("web: running") });
      engine.do("stop", "--time", "60", name);
      expect(await running.exited()).toBe(0);
      expect(running.lines.at(-1)).toMatchObject({ msg: "stopped", killed: 0 });
    },
  );

  test("as it is, with its own configuration: healthy for its own HEALTHCHECK", async () => {
    const name = engine.newName();
    const run = ["run", "--health-interval", "disable", "--name", name];
    await using running = new Running("", {
      program: () => engine.command(...run, ...hardened, ...database, image),
    });
    await waitUntil(() => engine.podman("healthcheck", "run", name).status === 0);
    engine.do("stop", "--time", "60", name);
    expect(await running.exited()).toBe(0);
  });

  test("podman stop: a slow request in flight is answered in full, within the grace period, and the status is 0", async () => {
    const name = engine.newName();
    const port = freePort();
    const entrypoint = ["bin/with-socket", `127.0.0.1:${port}`, "kleinhirn"];
    const flags = [
      ...hardened,
      ...["--network", "host", "--entrypoint", JSON.stringify(entrypoint)],
      ...["--volume", "@FOLDER@:/here", "--volume", `${join(repository, "test/fixtures/programs")}:/slow:ro`],
    ];
    const toml = `${supervisor()}${slowSet("/app", "/here", "/slow/slow.ru")}`;
    await using running = new Running(toml, engine.run(name, image, flags));
    await running.waitFor("worker set running");
    const request = new SlowRequest(`http://127.0.0.1:${port}/`, running.folder);
    await request.arrived();
    const stop = Bun.spawn(engine.command("stop", "--time", "60", name), {
      stdio: ["ignore", "ignore", "ignore"],
    });
    await running.waitFor("worker stopping", 2);
    await running.waitFor("worker stopped");
    request.letGo();
    const answer = await request.answer;
    expect({ status: answer.status, text: await answer.text() }).toEqual({
      status: 200,
      text: "the whole answer\n",
    });
    expect(await stop.exited).toBe(0);
    expect(await running.exited()).toBe(0);
    expect(running.lines.at(-1)).toMatchObject({ msg: "stopped", killed: 0 });
  });
});
