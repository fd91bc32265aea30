/** Real containers: from scratch, hardened, limited; stopped and killed as an orchestrator does it. */
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { childrenOf, isAlive } from "../helpers/processes.ts";
import { type LogLine, Running, repository } from "../helpers/running.ts";
import { supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { Binary } from "./support/binary.ts";
import { Engine } from "./support/engine.ts";
import { users } from "./support/pid1.ts";
import { buildScratchImage } from "./support/scratch-image.ts";

setDefaultTimeout(testTimeoutMs);

const started = await Engine.start();
if (typeof started === "string") console.warn(`containers are skipped: ${started}`);
const hasEngine = typeof started !== "string";
const engine = hasEngine ? started : noEngine();
let image: string;

beforeAll(() => {
  if (!hasEngine) return;
  using binary = new Binary();
  image = buildScratchImage(engine, binary);
});
afterEach(() => {
  if (hasEngine) expect(engine.do("ps", "--quiet")).toBe("");
});
afterAll(async () => {
  if (hasEngine) await engine[Symbol.asyncDispose]();
});

/** Only ever handed to tests that are skipped. */
function noEngine(): Engine {
  return Object.create(Engine.prototype);
}

const hardened = [...["--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges"]] as const;

/** On a port of its own: the container has its own network. */
const patients = (settings = "", ...sets: readonly string[]) => `
  ${supervisor(settings).replace("127.0.0.1:0", "127.0.0.1:3000")}
  [workers.web]
  type = "program"
  ack = "message"
  count = 2
  cmdline = ["/patient"]
  ${sets.join("\n")}
`;

const url = (path: string) => `http://127.0.0.1:3000${path}`;

function ask(name: string, path: string) {
  return engine.podman("exec", name, "/kleinhirn", "health", "--url", url(path));
}

describe.skipIf(!hasEngine).each([...users])("an image from scratch, hardened, as $name", ({ uid }) => {
  const flags = ["--user", `${uid}:${uid}`, ...hardened];

  test("serves, is healthy for HEALTHCHECK, and stops with status 0 within the grace period", async () => {
    const name = engine.newName();
    await using running = new Running(patients(), engine.run(name, image, flags));
    await running.waitFor("worker set running");
    expect(running.find("supervisor started")).toMatchObject({ pid: 1 });
    expect(ask(name, "/healthz")).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("2 of 2 ready"),
    });
    expect(engine.podman("healthcheck", "run", name).status).toBe(0);
    engine.do("stop", "--time", "60", name);
    expect(await running.exited()).toBe(0);
    expect(running.lines.at(-1)).toMatchObject({ msg: "stopped", killed: 0 });
    expect(running.all("worker stopped")).toMatchObject([{ exit: "status 0" }, { exit: "status 0" }]);
  });

  test("with no writable folder at all, its socket is in the abstract namespace, and workers ack by it", async () => {
    const name = engine.newName();
    const byCommand = `
      [workers.acker]
      type = "program"
      ack = "message"
      restart = { intensity = 1 }
      cmdline = ["/kleinhirn", "ack"]
    `;
    const options = engine.run(name, image, [...flags, "--read-only-tmpfs=false"]);
    await using running = new Running(patients("", byCommand), options);
    const [start] = await running.waitFor("supervisor started");
    expect(String(start?.socket)).toStartWith("@");
    await running.waitFor((line) => line.msg === "worker ready" && line.set === "acker");
    engine.do("stop", "--time", "60", name);
    expect(await running.exited()).toBe(0);
  });

  test("a set that is faulted is unhealthy for HEALTHCHECK, and no longer alive, whatever the others are", async () => {
    const name = engine.newName();
    const broken = `
      [workers.broken]
      type = "program"
      restart = { intensity = 1 }
      cmdline = ["/kleinhirn", "--no-such-flag"]
    `;
    await using running = new Running(patients("", broken), engine.run(name, image, flags));
    await running.waitFor("worker set faulted");
    await running.waitFor((line) => line.msg === "worker set running" && line.set === "web");
    expect(engine.podman("healthcheck", "run", name).status).toBe(1);
    expect(ask(name, "/livez")).toMatchObject({
      status: 1,
      stdout: expect.stringContaining("broken: faulted"),
    });
    engine.do("stop", "--time", "60", name);
    expect(await running.exited()).toBe(0);
  });
});

describe.skipIf(!hasEngine)("exit status of the container", () => {
  test.each([
    ["SIGTERM", 0],
    ["SIGINT", 0],
    ["SIGQUIT", 0],
    ["SIGKILL", 137],
  ])("podman kill --signal %s: %p", async (signal, status) => {
    const name = engine.newName();
    await using running = new Running(patients(), engine.run(name, image, hardened));
    await running.waitFor("worker set running");
    engine.do("kill", "--signal", signal, name);
    expect(await running.exited()).toBe(status);
  });

  test("78 for an invalid configuration, 1 for a fault with on_fault = exit", async () => {
    const options = () => engine.run(engine.newName(), image, hardened);
    await using invalid = new Running(`${supervisor()}\n[worker]\ntype = "nothing"`, options());
    expect(await invalid.exited()).toBe(78);
    const broken =
      '[workers.broken]\ntype = "program"\nrestart = { intensity = 1 }\ncmdline = ["/kleinhirn", "ack"]';
    await using faulted = new Running(patients('on_fault = "exit"', broken), options());
    expect(await faulted.exited()).toBe(1);
  });
});

describe.skipIf(!hasEngine)("a container with a limit of memory", () => {
  // With the memory of the supervisor in it; the one that eats is by far the largest when the limit is reached.
  const limited = ["--memory", "256m", "--memory-swap", "256m"];
  const hungry =
    '[workers.hungry]\ntype = "program"\nack = "message"\ncount = 2\ncmdline = ["/patient", "hungry"]';

  test("one worker reaches it: killed by the kernel, said so, replaced; the others are left alone", async () => {
    const name = engine.newName();
    const options = engine.run(name, image, [...hardened, ...limited]);
    await using running = new Running(patients("", hungry), options);
    await running.waitFor("worker set running", 2);
    engine.do("kill", "--signal", "SIGUSR1", name);
    const [died] = await running.waitFor("worker died");
    expect(died).toMatchObject({ set: "hungry", slot: 0, exit: "signal KILL", oom_kills: 1, asked: false });
    await running.waitFor(isReadyAgain("hungry"), 3);
    expect(ask(name, "/healthz")).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("signal KILL"),
    });
    expect(running.all("worker died")).toHaveLength(1);
    engine.do("stop", "--time", "60", name);
    expect(await running.exited()).toBe(0);
  });

  test("one that an operator kills is not blamed on the kernel", async () => {
    const name = engine.newName();
    const options = engine.run(name, image, [...hardened, ...limited]);
    await using running = new Running(patients(), options);
    await running.waitFor("worker set running");
    process.kill(workersOf(engine.pidOf(name))[0] ?? 0, "SIGKILL");
    const [died] = await running.waitFor("worker died");
    expect(died).toMatchObject({ exit: "signal KILL" });
    expect(died).not.toHaveProperty("oom_kills");
    engine.do("stop", "--time", "60", name);
    expect(await running.exited()).toBe(0);
  });
});

function isReadyAgain(set: string): (line: LogLine) => boolean {
  return (line) => line.msg === "worker ready" && line.set === set;
}

describe.skipIf(!hasEngine)("when the reader of the log is gone", () => {
  test("the container serves on, replaces workers, and stops", async () => {
    const name = engine.newName();
    await using running = new Running(patients(), engine.run(name, image, [...hardened, "--detach"]));
    expect(await running.exited()).toBe(0);
    await waitUntil(() => ask(name, "/healthz").status === 0);
    const pid = engine.pidOf(name);
    const monitor = engine.do("inspect", "--format", "{{.State.ConmonPid}}", name);
    // The engine's monitor holds the other end of standard output and error.
    expect(Bun.spawnSync(engine.inside("kill", "-KILL", monitor)).exitCode).toBe(0);
    process.kill(workersOf(pid)[0] ?? 0, "SIGKILL");
    const program = [process.execPath, join(repository, "kleinhirn.ts")];
    const askFromOutside = () =>
      Bun.spawnSync([
        "nsenter",
        "--target",
        String(pid),
        "--net",
        ...program,
        "health",
        "--url",
        url("/healthz"),
      ]);
    await waitUntil(() => {
      const { exitCode, stdout } = askFromOutside();
      return exitCode === 0 && stdout.toString().includes("2 of 2 ready, last death: signal KILL");
    });
    process.kill(pid, "SIGTERM");
    await waitUntil(() => !isAlive(pid));
    engine.do("rm", "--force", name);
  });
});

/** The zombie of one that has just been killed isn't one. */
function workersOf(pid1: number): readonly number[] {
  return childrenOf(pid1).filter(isAlive);
}
