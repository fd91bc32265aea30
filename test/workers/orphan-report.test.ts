import { expect, test } from "bun:test";
import type { LogEvent } from "../../src/core/log-event.ts";
import { OrphanReport } from "../../src/workers/orphan-report.ts";
import { Clock } from "../simulation/kernel/clock.ts";

function start() {
  const clock = new Clock();
  const log: LogEvent[] = [];
  const report = new OrphanReport((event) => log.push(event), clock.setTimer);
  const add = (pid: number, code = 0) => report.add(pid, { kind: "exited", code });
  const ring = () => {
    const timer = clock.nextTimer();
    if (timer !== undefined) clock.fire(timer);
    return timer !== undefined;
  };
  return { clock, log, report, add, ring };
}

test("orphans that come within a second are one event, with the last of them", () => {
  const { clock, log, add, ring } = start();
  const beganMs = clock.nowMs;
  add(11);
  add(12);
  add(13, 3);
  expect(log).toEqual([]);
  ring();
  expect(clock.nowMs - beganMs).toBe(1000);
  const fields = { count: 3, last_pid: 13, last_exit: "status 3" };
  expect(log).toEqual([{ level: "debug", message: "orphans reaped", fields }]);
});

test("the next ones are counted anew, and wait for a timer of their own", () => {
  const { log, add, ring } = start();
  add(11);
  ring();
  expect(ring()).toBe(false);
  add(12);
  ring();
  expect(log.map(({ fields }) => [fields.count, fields.last_pid])).toEqual([
    [1, 11],
    [1, 12],
  ]);
});

test("at the end nothing is held back, and no timer is left", () => {
  const { log, report, add, ring } = start();
  add(11);
  report.flush();
  expect(log).toHaveLength(1);
  expect(ring()).toBe(false);
  report.flush();
  expect(log).toHaveLength(1);
});
