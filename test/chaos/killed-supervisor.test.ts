/** The supervisor is killed with KILL: nobody that it has started survives, whatever it was about to do. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Dice } from "../core/random/dice.ts";
import { commandLine, Running } from "../helpers/running.ts";
import { ackByDescriptor, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { application, endless, linesOf, programSet, rubySet } from "./fleet.ts";
import { scale, tell } from "./scale.ts";

setDefaultTimeout(5 * testTimeoutMs);

const timesMs: number[] = [];
afterAll(() => tell("KILL of the supervisor, to the end of everybody else", timesMs));

/** Nothing but KILL ends them: not TERM, not the end of a terminal or of a pipe. */
const deaf = 'trap "" HUP INT QUIT TERM USR1 USR2 PIPE ALRM';
const deafInRuby = '%w[HUP INT QUIT TERM USR1 USR2 PIPE ALRM].each { |name| trap(name, "IGNORE") }';

/** Half of each set comes and goes without a pause, so that at any moment somebody is being launched. */
const fleet = `${supervisor()}
  ${programSet(
    "exec",
    `${deaf}; ${ackByDescriptor}; [ "$KLEINHIRN_WORKER_SLOT" -lt 2 ] && exec sleep 1000; exit 1`,
    `count = 4\nack = "message"\n${endless}`,
  )}
  ${rubySet(
    "ruby",
    `${deafInRuby}; slot = KleinhirnLoader.worker.slot; KleinhirnLoader.ack; slot < 2 ? sleep : exit!(1)`,
    `count = 4\n${endless}`,
  )}`;

async function killAndWait(running: Running): Promise<void> {
  const start = performance.now();
  running.signal("SIGKILL");
  await running.process.exited;
  await waitUntil(
    () => running.processes().length === 0,
    () => `the end of ${running.processes().map((pid) => `${pid}: ${commandLine(pid)}`)}`,
  );
  timesMs.push(performance.now() - start);
}

test("the supervisor killed with KILL at a random moment: no worker, preloader or middle process survives, exec and Ruby", async () => {
  const dice = new Dice(Date.now());
  const count = scale(45, 500);
  let living = 0;
  for (let index = 0; index < count; index += 1) {
    await using running = new Running(fleet, { files: application() });
    // In the first moments, while it loads, or with everybody there.
    if (index % 3 === 1) await running.waitFor("preloader loading");
    if (index % 3 === 2)
      await running.waitFor((line) => line.msg === "worker died" && line.set === "ruby", 1);
    await Bun.sleep(dice.roll() * 150);
    living += running.processes().length - 1;
    await killAndWait(running);
  }
  // There was somebody to survive.
  expect(living).toBeGreaterThan(count);
});

const slowHook = (where: string) => `
  module Hook
    def _fork
      pid = super
      hang if ${where} && File.exist?("hang")
      pid
    end

    def hang
      ${deafInRuby}
      File.write("hung", "")
      sleep
    end
  end
  $preloader = Process.pid
  Process.singleton_class.prepend(Hook)
`;

test.each([
  ["in the middle process", "pid.zero? && Process.ppid == $preloader"],
  ["in the worker, before its gate", "pid.zero? && Process.ppid != $preloader"],
  ["in the middle process, behind the worker", "!pid.zero? && Process.pid != $preloader"],
  ["in the preloader", "!pid.zero? && Process.pid == $preloader"],
])("nor does a process that hangs in a fork hook (%s)", async (_, where) => {
  await using running = new Running(
    `${supervisor()}\n${rubySet("ruby", "KleinhirnLoader.ack; sleep", "count = 2")}`,
    { files: application(slowHook(where)) },
  );
  const [first] = await running.waitFor("worker ready", 2);
  const hung = Bun.file(join(running.folder, "hung"));
  writeFileSync(join(running.folder, "hang"), "");
  process.kill(Number(first?.pid), "SIGKILL");
  await waitUntil(() => hung.exists());
  expect(linesOf(running, "worker launch failed")).toEqual([]);
  await killAndWait(running);
});
