/** The helper of all these tests must be able to fail. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { isAlive } from "../helpers/processes.ts";
import { Running } from "../helpers/running.ts";
import { shell, supervisor } from "../helpers/settings.ts";
import { readLineOf, testTimeoutMs, waitUntil } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

test("a process left behind in a session of its own fails the test, and is killed", async () => {
  const running = new Running(`${supervisor()}
    [worker]
    type = "program"
    ${shell("setsid sleep 1000 & echo $! > daemon; exec sleep 1000")}
  `);
  const daemon = Number(await readLineOf(`${running.folder}/daemon`));
  // Nobody can act after a KILL, and the parent death signal is for workers, not for what they start.
  running.signal("SIGKILL");
  await expect(running[Symbol.asyncDispose]()).rejects.toThrow(/^left behind: .*sleep 1000/);
  await waitUntil(() => !isAlive(daemon));
});

test("nothing left behind is no failure", async () => {
  const running = new Running(`${supervisor()}
    [worker]
    type = "program"
    ${shell("exec sleep 1000")}
  `);
  await running.waitFor("worker set running");
  await running[Symbol.asyncDispose]();
  expect(running.process.exitCode).toBe(0);
});

test("what a supervisor that has ended can't say any more is not waited for", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    on_fire = "run"
  `);
  await expect(running.waitFor("worker ready")).rejects.toThrow(
    /^the supervisor ended \(status 78\) without 1 × worker ready in:\n[\s\S]*on_fire/,
  );
});

test("what it said before it ended is found", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    ${shell("exec sleep 1000")}
  `);
  await running.waitFor("worker set running");
  await running.stop();
  expect(await running.waitFor("stopped")).toHaveLength(1);
  await expect(running.waitFor("stopped", 2)).rejects.toThrow(
    /^the supervisor ended \(status 0\) without 2 × stopped/,
  );
});
