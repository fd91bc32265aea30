import { expect, setDefaultTimeout, test } from "bun:test";
import { waitUntil } from "../helpers/wait.ts";
import { Fixture } from "./support/fixture.ts";

setDefaultTimeout(60_000);

const passed = [
  "SIGTERM",
  "SIGINT",
  "SIGQUIT",
  "SIGHUP",
  "SIGUSR1",
  "SIGUSR2",
  "SIGWINCH",
  "SIGCHLD",
] as const;

test("every signal that means something is delivered, and PIPE does nothing", async () => {
  await using fixture = new Fixture("signal-listener.ts");
  await fixture.waitFor("capturing");
  fixture.tell("deliver");
  await fixture.waitFor("delivering");
  for (const [index, signal] of passed.entries()) {
    fixture.signal("SIGPIPE");
    fixture.signal(signal);
    expect(await fixture.waitFor("signal", index + 1)).toMatchObject({ signal });
  }
});

test("what comes before anybody listens is kept, in its order", async () => {
  await using fixture = new Fixture("signal-listener.ts");
  await fixture.waitFor("capturing");
  const early = ["SIGTERM", "SIGHUP", "SIGINT"] as const;
  for (const signal of early) {
    fixture.signal(signal);
    // The kernel doesn't keep the order of signals that are pending at the same time.
    await waitUntil(() => !isPending(fixture.pid));
    fixture.tell("still there?");
    await fixture.waitFor("still there", early.indexOf(signal) + 1);
  }
  fixture.tell("deliver");
  await fixture.waitFor("signal", 3);
  expect(fixture.all("signal").map(({ signal }) => signal)).toEqual([...early]);
});

test("released signals have their default meaning again", async () => {
  await using fixture = new Fixture("signal-listener.ts");
  await fixture.waitFor("capturing");
  fixture.tell("release");
  await fixture.waitFor("released");
  fixture.signal("SIGTERM");
  expect(await fixture.exited()).toBe(128 + 15);
});

test.skipIf(process.getuid?.() !== 0)("PID 1 gets them too", async () => {
  const wrapper = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
  await using fixture = new Fixture("signal-listener.ts", { wrapper });
  expect(await fixture.waitFor("capturing")).toMatchObject({ pid: 1 });
  fixture.tell("deliver");
  await fixture.waitFor("delivering");
  const [pid] = fixture.descendants();
  if (pid === undefined) throw new Error("PID 1 is not there");
  for (const [index, signal] of passed.entries()) {
    process.kill(pid, signal);
    expect(await fixture.waitFor("signal", index + 1)).toMatchObject({ signal });
  }
});

function isPending(pid: number): boolean {
  const { stdout } = Bun.spawnSync(["grep", "-E", "^(Sig|Shd)Pnd:", `/proc/${pid}/status`]);
  return /[1-9a-f]/.test(stdout.toString().replace(/^\w+:/gm, ""));
}
