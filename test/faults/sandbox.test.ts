/** Sandboxes and kernels that lack a system call, and a machine without /proc. */
import { describe, expect, setDefaultTimeout } from "bun:test";
import { constants } from "node:os";
import { argumentsOf, descriptorsOf } from "../helpers/processes.ts";
import { Running } from "../helpers/running.ts";
import { cmdline, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { Fixture, mountObstacle, testUnless, withMounts } from "./support.ts";

setDefaultTimeout(testTimeoutMs);

const denyCalls = new Fixture("deny-calls");

/** By architecture, where they differ. */
const numbers: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  x64: { waitid: 247, prctl: 157, memfd_create: 319, flock: 73 },
  arm64: { waitid: 95, prctl: 167, memfd_create: 279, flock: 32 },
};
const everywhere = { pidfd_open: 434, close_range: 436 };
const calls: Readonly<Record<string, number>> = { ...everywhere, ...numbers[process.arch] };
const setChildSubreaper = 36;

const obstacle = numbers[process.arch] === undefined ? `unknown ${process.arch}` : denyCalls.obstacle;

/** `prctl` alone would deny what Bun needs too. */
function without(call: string, error: "ENOSYS" | "EPERM" | "ENOLCK"): readonly string[] {
  const argument = call === "prctl" ? `:${setChildSubreaper}` : "";
  return [denyCalls.path, `${calls[call]}${argument}=${constants.errno[error] ?? 37}`, "--"];
}

const sleepers = `${supervisor()}\n[worker]\ntype = "program"\nopen_files = 77\n${cmdline("sleep", "1000")}`;

describe("refused at start, with the system call and the remedy, before anything is opened or launched", () => {
  for (const [call, error, reason] of [
    ["pidfd_open", "ENOSYS", /pidfd_open: ENOSYS, kleinhirn needs Linux 5\.3 or newer/],
    ["pidfd_open", "EPERM", /pidfd_open: EPERM, .*sandbox \(seccomp profile, gVisor\) that allows it/],
    ["prctl", "EPERM", /PR_SET_CHILD_SUBREAPER\): EPERM, .*seccomp/],
    ["waitid", "EPERM", /waitid: EPERM, no exit of a child can be seen/],
  ] as const) {
    testUnless(obstacle, `${call}: ${error}`, async () => {
      await using running = new Running(sleepers, { wrapper: without(call, error) });
      expect(await running.exited()).toBe(71);
      expect(running.lines).toHaveLength(1);
      expect(running.lines[0]).toMatchObject({ level: "critical", msg: "can't start", exit_status: 71 });
      expect(String(running.lines[0]?.reason)).toMatch(reason);
    });
  }

  testUnless(
    obstacle,
    "flock: ENOLCK, as on some network file systems, is a socket that can't be had",
    async () => {
      await using running = new Running(sleepers, { wrapper: without("flock", "ENOLCK") });
      expect(await running.exited()).toBe(69);
      expect(String(running.find("can't start")?.reason)).toContain("flock: ENOLCK, lock file ");
    },
  );
});

describe("done without", () => {
  for (const [call, error, isSlower] of [
    ["close_range", "ENOSYS", false],
    ["close_range", "EPERM", false],
    ["memfd_create", "ENOSYS", true],
    ["memfd_create", "EPERM", true],
  ] as const) {
    testUnless(obstacle, `${call}: ${error}; workers are launched and replaced as ever`, async () => {
      await using running = new Running(sleepers, { wrapper: without(call, error) });
      await running.waitFor("worker set running");
      const warning = running.find("programs are started by way of kleinhirn itself, which is slower");
      if (isSlower) expect(String(warning?.reason)).toContain(`${call}: ${error}`);
      else expect(warning).toBeUndefined();
      const worker = Number(running.find("worker ready")?.pid);
      // On its way there the step, and then the dynamic loader, have files of their own open.
      const isSleep = () => argumentsOf(worker)[0] === "sleep";
      await waitUntil(() => isSleep() && Object.keys(descriptorsOf(worker)).join() === "0,1,2");
      const limits = Bun.spawnSync(["cat", `/proc/${worker}/limits`]).stdout.toString();
      expect(limits).toMatch(/^Max open files\s+77\s/m);
      process.kill(worker, "SIGKILL");
      await running.waitFor("worker set running", 2);
      expect(await running.stop()).toBe(0);
    });
  }
});

describe("without /proc", () => {
  // Bun asks the C library for the bounds of its stack, which are read from /proc/self/maps: it aborts without it.
  testUnless(mountObstacle, "Bun itself does not start, and nothing is left behind", async () => {
    await using running = new Running(sleepers, { wrapper: withMounts("mount -t tmpfs none /proc") });
    expect(await running.exited()).not.toBe(0);
    expect(running.find("worker launched")).toBeUndefined();
  });

  testUnless(
    mountObstacle,
    "a /proc that goes while it runs: workers serve on, health is answered, and the rest comes back with it",
    async () => {
      const toml = `${sleepers}\nrestart = { intensity = 1000, backoff_max = "100ms" }`;
      await using running = new Running(toml, { wrapper: withMounts("true") });
      await running.waitFor("worker set running");
      inMountsOf(running, "mount", "-t", "tmpfs", "none", "/proc");
      process.kill(Number(running.find("worker ready")?.pid), "SIGKILL");
      await running.waitFor("worker launch failed", 2);
      expect((await running.health("/livez")).status).toBe(200);
      inMountsOf(running, "umount", "/proc");
      await running.waitFor("worker set running", 2);
      expect(await running.stop()).toBe(0);
    },
  );
});

function inMountsOf(running: Running, ...command: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([
    "nsenter",
    "--mount",
    "--target",
    String(running.pid),
    "--",
    ...command,
  ]);
  if (exitCode !== 0) throw new Error(stderr.toString());
}
