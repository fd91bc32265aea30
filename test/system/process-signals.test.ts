import { expect, setDefaultTimeout, test } from "bun:test";
import { signalGroup, signalProcess } from "../../src/system/process-signals.ts";
import { waitUntil } from "../helpers/wait.ts";
import { Fixture, isRunning } from "./support/fixture.ts";

setDefaultTimeout(60_000);

const nobody = 0x3fffffff;

test("a signal reaches a process, and a process that is gone is no error", async () => {
  const child = Bun.spawn(["sleep", "1000"]);
  expect(signalProcess(child.pid, 10)).toBe("sent");
  await child.exited;
  expect(child.signalCode).toBe("SIGUSR1");
  expect(signalProcess(nobody, 15)).toBe("gone");
});

test("a signal reaches all of a group, also when its leader is gone", async () => {
  const leader = Bun.spawn(["sh", "-c", "sleep 1000 & echo $!"], { detached: true, stdout: "pipe" });
  const reader = leader.stdout.getReader();
  const { value } = await reader.read();
  const member = Number(new TextDecoder().decode(value));
  await leader.exited;
  expect(signalGroup(leader.pid, 0)).toBe("sent");
  expect(signalGroup(leader.pid, 9)).toBe("sent");
  // The pipe ends when the last process that could write to it is gone.
  expect((await reader.read()).done).toBe(true);
  await waitUntil(() => !isRunning(member));
  expect(signalGroup(nobody, 9)).toBe("gone");
});

test.each([0, 1, -1, -4711, 1.5, Number.NaN, process.pid])("nobody signals the process %p", (pid) => {
  expect(() => signalProcess(pid, 0)).toThrow(RangeError);
});

test("nobody signals everybody, init's group, or the supervisor's own group", async () => {
  for (const group of [0, 1, -1, Number.NaN]) expect(() => signalGroup(group, 0)).toThrow(RangeError);
  await using fixture = new Fixture("own-group.ts");
  expect(await fixture.waitFor("tried")).toMatchObject({ name: "RangeError" });
});

test.skipIf(process.getuid?.() !== 0)("a process of another user refuses", async () => {
  await using fixture = new Fixture("refused-signal.ts", { args: [String(process.pid)] });
  expect(await fixture.waitFor("answered")).toMatchObject({ process: "refused" });
});
