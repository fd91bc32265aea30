/** The log of a real supervisor whose worker and whose preloader say nothing but what is meant to forge it. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { parse } from "logfmt";
import type { Fields } from "../../src/core/log-event.ts";
import { safeFields } from "../../src/logging/log-record.ts";
import { Dice } from "../core/random/dice.ts";
import { Running } from "../helpers/running.ts";
import { cmdline } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { parseLogfmt } from "../logging/logfmt-parser.ts";
import { announce, say, seed } from "./support/campaign.ts";
import { type HostileLog, hostileLogs, hostileReports } from "./support/reports.ts";

announce("test/fuzz/log-of-processes.test.ts");
setDefaultTimeout(testTimeoutMs);

const programs = join(import.meta.dir, "programs");

function configuration(format: string): string {
  return `
    [supervisor]
    name = "it"
    [log]
    output = "stdout"
    level = "trace"
    format = "${format}"
    [health_check]
    listen_addr = "unix:health.sock"
    [workers.noisy]
    type = "program"
    ack = "message"
    ${cmdline(process.execPath, join(programs, "hostile-worker.ts"), String(seed))}
    [workers.rude]
    type = "ruby"
    load = "app.rb"
    start_expression = "1"
    env = { PATH = "@FOLDER@/bin:/usr/bin:/bin", FUZZ_SEED = "${seed}" }
    restart = { intensity = 45, backoff = "0s" }
  `;
}

const files = {
  "app.rb": "",
  // Not by its own first line: what is executed there is called by a path that may hold anything.
  "bin/ruby": `#!/bin/sh\nexec '${process.execPath}' '${join(programs, "hostile-preloader.ts")}' "$@"\n`,
};

type Event = ReadonlyMap<string, unknown>;

/** As a reader sees it, before JavaScript's objects make something else of `__proto__` or of keys that are numbers. */
function readLogfmt(line: string): Event {
  const event = new Map(parseLogfmt(line));
  const byLibrary = Object.keys(parse(line));
  expect(byLibrary.toSorted()).toEqual([...event.keys()].filter((key) => key !== "__proto__").toSorted());
  return event;
}

function readJson(line: string): Event {
  return new Map(Object.entries(JSON.parse(line)));
}

function eventsOf(running: Running, read: (line: string) => Event): readonly Event[] {
  const text = Buffer.concat(running.bytes.stdout).toString();
  return text.split("\n").slice(0, -1).map(read);
}

function named(events: readonly Event[], msg: string): readonly Event[] {
  return events.filter((event) => event.get("msg") === msg && !event.has("fuzz"));
}

/** How a value that went over the wire comes out: whole characters only; as text, where the format knows nothing else. */
type Show = (value: unknown) => unknown;

/** Every one of the preloader's own events has the fields that it was given, under keys that are not ours, and no other. */
function expectLogs(events: readonly Event[], show: Show): void {
  const own = events.filter((event) => event.has("fuzz") && String(event.get("generation")) === "1");
  const logs = hostileLogs(new Dice(seed));
  expect(own).toHaveLength(logs.length);
  for (const [index, log] of logs.entries()) {
    const event: Event = own[index] ?? new Map();
    const ts = String(event.get("ts"));
    expect(new Date(ts).toISOString()).toBe(ts);
    const fixed = { ts, level: log.level, msg: log.msg, service: "it" };
    const fields = fieldsOnArrival(log.fields, { generation: 1, pid: Number(event.get("pid")) });
    const meant = [...Object.entries(fixed), ...safeFields(fields)].map(
      ([key, value]) => [key, show(value)] as const,
    );
    expect(sortedEntries(event)).toEqual(sortedEntries(new Map(meant)));
  }
}

/** JSON has no NaN and no Infinity, null is left out, and what the supervisor knows itself nobody else may say. */
function fieldsOnArrival(fields: HostileLog["fields"], known: Record<string, number>): Fields {
  const sent = Object.entries(fields).filter(([key]) => !["action", "level", "msg"].includes(key));
  const arrived = sent.map(([key, value]) => [key, JSON.parse(JSON.stringify(value))] as const);
  return { ...known, ...Object.fromEntries(arrived.filter(([, value]) => value !== null)), ...known };
}

function sortedEntries(event: Event): readonly (readonly [string, unknown])[] {
  return [...event].toSorted(([left], [right]) => (left < right ? -1 : 1));
}

const wellFormed: Show = (value) => (typeof value === "string" ? value.toWellFormed() : value);

test.each([
  ["json", readJson, wellFormed],
  ["logfmt", readLogfmt, (value: unknown) => String(wellFormed(value))],
] as const)(
  "%s: what a worker and a preloader say is in the log as they said it, and nothing else is",
  async (format, read, show) => {
    await using running = new Running(configuration(format), { files });
    const isThere = (text: string) => Buffer.concat(running.bytes.stdout).includes(text);
    await waitUntil(
      () => isThere("worker set faulted") && isThere("worker ready"),
      () => running.transcript(),
    );
    const health = await fetch("http://localhost/healthz", { unix: join(running.folder, "health.sock") });
    expect((await health.text()).split("\n")).toHaveLength(4);
    expect(await running.stop()).toBe(0);
    const events = eventsOf(running, read);
    for (const event of events)
      expect(["ts", "level", "msg", "service"].filter((key) => !event.has(key))).toEqual([]);
    const [raised, failed] = [named(events, "worker raised an error"), named(events, "worker launch failed")];
    const reports = hostileReports(new Dice(seed));
    expect(raised.map((event) => [event.get("reason"), event.get("error")])).toEqual(
      reports.map(({ message, error }) => [wellFormed(message), wellFormed(error)]),
    );
    expectLogs(events, show);
    const dice = new Dice(seed);
    hostileLogs(dice);
    const failures = hostileReports(dice).map(({ message }) => wellFormed(message));
    expect(failed.slice(0, failures.length).map((event) => event.get("error"))).toEqual(failures);
    const [last] = hostileReports(dice);
    expect(named(events, "preloader could not load the code")[0]?.get("error")).toBe(
      wellFormed(last?.error ?? ""),
    );
    say(`${events.length} events as ${format}, each as it was meant`);
  },
);
