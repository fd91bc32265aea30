/** What the surroundings of a compiled kleinhirn can't do to it: no file of a folder, no variable of Bun's. */
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { builtProgram } from "../helpers/built.ts";
import { environmentOf } from "../helpers/processes.ts";
import { repository } from "../helpers/program.ts";
import { Running, type StartOptions } from "../helpers/running.ts";
import { ackByDescriptor, cmdline, shell, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

let binary = "";
beforeAll(() => {
  binary = builtProgram();
});

function start(toml: string, options: StartOptions = {}): Running {
  return new Running(toml, { program: (file) => [binary, "run", "-f", file], ...options });
}

const acking = (script: string) => `${supervisor()}
[worker]
type = "program"
ack = "message"
${shell(`${script}; ${ackByDescriptor}; exec sleep 1000`)}
`;

/** Puts a file where it is run, if Bun runs it. */
const trespass = `require("node:fs").writeFileSync(require("node:path").join(__dirname, "trespassed"), "")`;

test("neither .env nor bunfig.toml, tsconfig.json and package.json of the folder that it is started in", async () => {
  const files = {
    ".env": "KLEINHIRN_TEST_DOTENV=1\n",
    "bunfig.toml": 'preload = ["./preload.js"]\n',
    "tsconfig.json": "not JSON",
    "package.json": "not JSON",
    "preload.js": trespass,
  };
  await using running = start(acking('echo "dotenv=$KLEINHIRN_TEST_DOTENV"'), { files });
  await running.waitFor("worker set running");
  expect(running.output).toContain("dotenv=\n");
  expect(existsSync(join(running.folder, "trespassed"))).toBe(false);
  expect(await running.stop()).toBe(0);
});

describe("variables of Bun's", () => {
  test.each([
    ["BUN_OPTIONS", "--smol --hot", "nothing of it"],
    ["BUN_OPTIONS", "--title=other --cpu-prof", "nothing of it"],
    ["BUN_JSC_thresholdForJITAfterWarmUp", "600", "it as it was"],
    ["BUN_CONFIG_VERBOSE_FETCH", "1", "it as it was"],
    ["BUN_FEATURE_FLAG_NO_ORPHANS", "1", "it as it was"],
    ["BUN_INSPECT_CONNECT_TO", "unix:///nowhere", "it as it was"],
  ])(
    "%s=%s: begun again without it, in the same process, and workers have %s",
    async (name, value, handedDown) => {
      const isHandedDown = handedDown === "it as it was";
      await using running = start(acking(`echo "worker has $${name}."`), { env: { [name]: value } });
      await running.waitFor("worker set running");
      expect(running.find("supervisor started")).toMatchObject({ pid: running.pid });
      expect(Object.keys(environmentOf(running.pid)).filter((each) => each.startsWith("BUN_"))).toEqual([]);
      expect(running.output).toContain(`worker has ${isHandedDown ? value : ""}.\n`);
      expect(await running.stop()).toBe(0);
    },
  );

  test("those that keep Bun from starting threads late are heeded, and kept from workers", async () => {
    const env = {
      BUN_JSC_useConcurrentJIT: "0",
      BUN_JSC_useConcurrentGC: "0",
      BUN_JSC_numberOfGCMarkers: "1",
    };
    await using running = start(acking('echo "threads: $BUN_JSC_useConcurrentJIT."'), { env });
    await running.waitFor("worker set running");
    expect(environmentOf(running.pid)).toMatchObject(env);
    expect(running.output).toContain("threads: .\n");
    expect(await running.stop()).toBe(0);
  });

  test("inherited sockets and an ack's descriptor are still there after it", async () => {
    const pass = `exec 3<&0; exec env LISTEN_PID=$$ LISTEN_FDS=1 "$@"`;
    await using running = start(acking('echo "pid $LISTEN_PID is $$, $(readlink /proc/$$/fd/3)"'), {
      wrapper: ["sh", "-c", pass, "sh"],
      env: { BUN_OPTIONS: "--smol" },
    });
    await running.waitFor("worker set running");
    expect(running.output).toMatch(/pid (\d+) is \1, \/dev\/null/);
    expect(await running.stop()).toBe(0);

    const ack = `BUN_OPTIONS=--smol KLEINHIRN_SOCKET= ${binary} ack || echo refused`;
    await using acked = start(`${supervisor()}
      [worker]
      type = "program"
      ack = "message"
      ${shell(`${ack}; exec sleep 1000`)}
    `);
    await acked.waitFor("worker ready");
    expect(acked.output).not.toContain("refused");
    expect(await acked.stop()).toBe(0);
  });

  test.each([
    ["BUN_OPTIONS", "--preload=./preload.js"],
    ["BUN_OPTIONS", "--require ./preload.js"],
    ["BUN_INSPECT_PRELOAD", "./preload.js"],
    ["BUN_INSPECT", "unix:///nowhere"],
  ])("%s=%s brings no code in: refused before anything has run", async (name, value) => {
    await using running = start(acking("true"), {
      env: { [name]: value },
      files: { "preload.js": trespass },
    });
    expect(await running.exited()).not.toBe(0);
    expect(existsSync(join(running.folder, "trespassed"))).toBe(false);
    expect(running.lines).toEqual([]);
  });

  test("where the C library can't be called there is no way out, and nothing is begun", async () => {
    await using running = start(acking("true"), { env: { BUN_JSC_useJIT: "0" } });
    expect(await running.exited()).toBe(71);
    expect(running.output).toContain("kleinhirn: can't start again without BUN_JSC_useJIT: dlopen: ENOENT");
    expect(running.lines).toEqual([]);
  });

  test("of the source tree's kleinhirn they are Bun's, and are left alone", async () => {
    await using running = new Running(
      `${supervisor()}[worker]\ntype = "program"\n${cmdline("sleep", "1000")}`,
      {
        env: { BUN_CONFIG_VERBOSE_FETCH: "0" },
        program: (file) => [process.execPath, join(repository, "kleinhirn.ts"), "run", "-f", file],
      },
    );
    await running.waitFor("worker set running");
    expect(environmentOf(running.pid).BUN_CONFIG_VERBOSE_FETCH).toBe("0");
    expect(await running.stop()).toBe(0);
  });
});
