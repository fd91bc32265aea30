/** Only a worker's own ack counts, in whatever pieces it comes; all others leave everybody as they are. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readProcessStat } from "../../src/system/process-table.ts";
import { Peer } from "../helpers/peer.ts";
import { Running } from "../helpers/running.ts";
import { ackByDescriptor, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { application, linesOf, programSet, rubySet } from "./fleet.ts";
import { setReportOf } from "./health-report.ts";
import { LogAudit } from "./log-audit.ts";

setDefaultTimeout(testTimeoutMs);

/** What the worker in each slot does before it waits for the file `go`, and acks as it should. */
const slots = { pieces: 0, garbage: 1, anothers: 2, silent: 3, strangers: 4, stopped: 5 } as const;
const count = Object.keys(slots).length;

const waitForGo = "until [ -e go ]; do sleep 0.01; done";
const inShell = `
  line='{"action":"ack","id":"'$KLEINHIRN_WORKER_ID'"}'
  [ "$KLEINHIRN_WORKER_SLOT" = ${slots.silent} ] && { echo "$KLEINHIRN_WORKER_ID" > id.new; mv id.new id; }
  case $KLEINHIRN_WORKER_SLOT in
    ${slots.pieces}) while [ -n "$line" ]; do
         rest=\${line#?}; printf %s "\${line%"$rest"}" >&"$KLEINHIRN_STATUS_FD"; line=$rest; sleep 0.002
       done; echo >&"$KLEINHIRN_STATUS_FD" ;;
    ${slots.garbage}) printf '\\377\\376 %s\\n{"action":\\n[1]\\n\\n{"action":"ready"}\\n' "$line" >&"$KLEINHIRN_STATUS_FD"
       touch said.${slots.garbage} ;;
    ${slots.anothers}) until [ -e id ]; do sleep 0.01; done
       printf '{"action":"ack","id":"%s"}\\n' "$(cat id)" >&"$KLEINHIRN_STATUS_FD"; touch said.${slots.anothers} ;;
    ${slots.stopped}) kill -s STOP $$ ;;
  esac
  ${waitForGo}
  ${ackByDescriptor}
  exec sleep 1000
`;

/** The same over the socket, as a preloaded worker has no descriptor of its own. */
const inRuby = `
  id = ENV.fetch("KLEINHIRN_WORKER_ID")
  say = lambda do |pieces, *wait|
    UNIXSocket.open(ENV.fetch("KLEINHIRN_SOCKET")) do |socket|
      pieces.each { |piece| socket.write(piece); sleep(*wait) unless wait.empty? }
      socket.read
    rescue SystemCallError
      nil # Refused before all of it was said.
    end
  end
  ack = %({"action":"ack","id":"#{id}"}\\n)
  case KleinhirnLoader.worker.slot
  when ${slots.pieces} then say.(ack.chars, 0.002)
  when ${slots.garbage} then ["\\xff\\xfe\\n", "{\\n", "[1]\\n", "\\n", %({"action":"ready"}\\n)].each { |line| say.([line]) }
  when ${slots.anothers}
    sleep 0.01 until File.exist?("ruby-id")
    say.([ack.sub(id, File.read("ruby-id"))])
  when ${slots.silent} then File.write("ruby-id.new", id) && File.rename("ruby-id.new", "ruby-id")
  when ${slots.stopped} then Process.kill(:STOP, Process.pid)
  end
  File.write("ruby-said.#{KleinhirnLoader.worker.slot}", "")
  sleep 0.01 until File.exist?("go")
  KleinhirnLoader.ack
  sleep
`;

test("an ack in single bytes, garbage, another worker's id, a stranger's connection, a worker stopped by SIGSTOP: only the own ack counts", async () => {
  await using running = new Running(
    `${supervisor()}
    ${programSet("exec", inShell, `count = ${count}\nack = "message"`)}
    ${rubySet("ruby", inRuby, `count = ${count}`)}`,
    { files: application('require "socket"') },
  );
  const launched = await running.waitFor("worker launched", 2 * count);
  const [socket] = (await running.waitFor("supervisor started")).map((line) => String(line.socket));
  for (const { worker, slot } of launched) {
    if (slot !== slots.strangers) continue;
    using stranger = new Peer(socket ?? "");
    stranger.send(`${JSON.stringify({ action: "ack", id: worker })}\n`);
    expect(await stranger.closed()).toContain(
      `process ${process.pid} is neither this worker nor a descendant`,
    );
  }
  const there = (...names: string[]) =>
    names.every((name) => Bun.file(join(running.folder, name)).size === 0 && wasMade(running, name));
  const said = [slots.garbage, slots.anothers].flatMap((slot) => [`said.${slot}`, `ruby-said.${slot}`]);
  const stopped = launched.filter(({ slot }) => slot === slots.stopped).map(({ pid }) => Number(pid));
  await waitUntil(() => there(...said) && stopped.every((pid) => readProcessStat(pid)?.state === "T"));
  await waitUntil(() => linesOf(running, "worker ready").length >= 2);
  // An ack of the right kind at the end of all others: had one of those counted, it would be in the log before this one.
  expect(
    linesOf(running, "worker ready")
      .map(({ set, slot }) => `${set}.${slot}`)
      .toSorted(),
  ).toEqual([`exec.${slots.pieces}`, `ruby.${slots.pieces}`]);
  for (const set of ["exec", "ruby"]) {
    const phases = (await setReportOf(running, set)).workers.map(({ phase }) => phase);
    expect(phases).toEqual(["ready", "launched", "launched", "launched", "launched", "launched"]);
  }
  await expectEachItsOwn(running, stopped);
});

/** Now everybody acks as it should; nobody was replaced meanwhile. */
async function expectEachItsOwn(running: Running, stopped: readonly number[]): Promise<void> {
  writeFileSync(join(running.folder, "go"), "");
  await running.waitFor("worker ready", 2 * (count - 1));
  expect(linesOf(running, "worker ready").some(({ slot }) => slot === slots.stopped)).toBe(false);
  for (const pid of stopped) process.kill(pid, "SIGCONT");
  await running.waitFor("worker set running", 2);
  expect(linesOf(running, "worker launched")).toHaveLength(2 * count);
  expect(running.find("worker died")).toBeUndefined();
  expect(new LogAudit(running.lines, { exec: count, ruby: count }).violations).toEqual([]);
  const refusals = linesOf(running, "refused a message on the socket");
  // Two strangers, another's id and five lines of garbage in Ruby; garbage on a descriptor is named once for each worker.
  expect(refusals).toHaveLength(2 + 1 + 5);
  expect(linesOf(running, "refused a message on an ack descriptor").map(({ reason }) => reason)).toHaveLength(
    2,
  );
}

function wasMade(running: Running, name: string): boolean {
  return new Bun.Glob(name).scanSync({ cwd: running.folder }).next().done === false;
}
