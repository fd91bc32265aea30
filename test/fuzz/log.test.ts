/** Whatever somebody says that reaches the log: one event, one line, and readers that are not ours find what was meant. */
import { expect, setDefaultTimeout, test } from "bun:test";
import type { LogFormat } from "../../src/config/config.ts";
import { safeFields } from "../../src/logging/log-record.ts";
import { createLogger } from "../../src/logging/logger.ts";
import { Dice } from "../core/random/dice.ts";
import { announce, grouped, plainOrDeep, say, seed, startProcessorTime } from "./support/campaign.ts";
import { hostileFields, hostileText } from "./support/hostile-text.ts";
import { type Expected, readAsJson, readAsLogfmt, readByLibrary } from "./support/log-readers.ts";

announce("test/fuzz/log.test.ts");
setDefaultTimeout(plainOrDeep(300_000, 3_600_000));

const time = new Date("2026-01-02T03:04:05.678Z");

/** A logger as the supervisor has it, whose lines stay here. */
function loggerInto(lines: string[], format: LogFormat, service: string) {
  const sink = {
    write: (line: string) => void lines.push(line),
    describeDropped: () => {},
    flush: () => Promise.resolve(),
    flushNow: () => {},
  };
  const config = { level: "trace", format } as const;
  return createLogger({ config, service, sink, isTerminal: false, color: true, now: () => time });
}

const unsafe = /[\n\r\v\f\u0085\u2028\u2029\u001b\u009b\u202a-\u202e\u2066-\u2069]/;

type Reader = (line: string, expected: Expected) => void;

function checkLogfmt(line: string, expected: Expected): void {
  readAsLogfmt(line, expected);
  readByLibrary(line, expected);
}

/** Level and message stand in the lead, before a tab, and are not said again. */
function checkPrefixed(line: string, expected: Expected): void {
  const [lead = "", fields = "", ...more] = line.split("\t");
  if (!/^INFO \| ./.test(`${lead}.`) || more.length > 0)
    throw new Error(`another lead: ${JSON.stringify(line)}`);
  checkLogfmt(
    fields,
    expected.filter(([key]) => key !== "level" && key !== "msg"),
  );
}

/** A key is what it was, or says that it isn't; none is one of the four that begin every line. */
function checkKeys(own: readonly (readonly [string, unknown])[], fields: object): void {
  const isOurs = ([key]: readonly [string, unknown]) =>
    ["ts", "level", "msg", "service"].includes(key) ||
    !(Object.hasOwn(fields, key) || key.startsWith("field_"));
  const forged = own.find(isOurs);
  if (forged !== undefined)
    throw new Error(`"${forged[0]}" was made of ${JSON.stringify(Object.keys(fields))}`);
}

const formats: readonly (readonly [string, LogFormat, Reader])[] = [
  ["JSON, by JSON.parse", { kind: "json" }, readAsJson],
  ["logfmt, by go-logfmt's grammar and by npm's logfmt", { kind: "logfmt", printPrefix: false }, checkLogfmt],
  ["logfmt with the original's lead", { kind: "logfmt", printPrefix: true }, checkPrefixed],
];

test.each(formats)("%s: every field that was meant, and none that was not", (name, format, check) => {
  const count = plainOrDeep(20_000, 200_000);
  const dice = new Dice(seed);
  const lines: string[] = [];
  const processorSeconds = startProcessorTime();
  let [service, logger] = ["", loggerInto(lines, format, "")];
  for (let index = 0; index < count; index += 1) {
    if (index % 100 === 0) service = hostileText(dice);
    if (index % 100 === 0) logger = loggerInto(lines, format, service);
    const [message, fields] = [hostileText(dice), hostileFields(dice)];
    logger.log({ level: "info", message, fields });
    const line = lines.pop() ?? "";
    if (unsafe.test(line)) throw new Error(`more than a line: ${JSON.stringify(line)}`);
    const own = safeFields(fields);
    checkKeys(own, fields);
    check(line, [
      ["ts", time.toISOString()],
      ["level", "info"],
      ["msg", message],
      ["service", service],
      ...own,
    ]);
  }
  say(
    `${grouped(count)} events as ${name}: ${grouped(count / processorSeconds())} a second of one processor`,
  );
  expect(lines).toEqual([]);
});

test("for people: one line, its further ones indented, and nothing that drives the terminal but our own colours", () => {
  const dice = new Dice(seed);
  const lines: string[] = [];
  const logger = loggerInto(lines, { kind: "human" }, "shop");
  const count = plainOrDeep(20_000, 200_000);
  for (let index = 0; index < count; index += 1) {
    logger.log({ level: "error", message: hostileText(dice), fields: hostileFields(dice) });
    const [first = "", ...further] = Bun.stripANSI(lines.pop() ?? "").split("\n");
    const isEvent = /^\d\d:\d\d:\d\d\.\d{3} error {4}/.test(first);
    const isPlain = [first, ...further].every((line) => !unsafe.test(line));
    if (!isEvent || !isPlain || !further.every((line) => line.startsWith("    │ ")))
      throw new Error(JSON.stringify([first, ...further]));
  }
});

test("the readers of these tests do find what is forged", () => {
  const expected: Expected = [
    ["msg", "a b"],
    ["set", "web"],
  ];
  expect(() => readAsJson('{"msg":"a b","set":"web","level":"critical"}', expected)).toThrow("was read as");
  expect(() => readAsLogfmt("msg=a b set=web", expected)).toThrow("was read as");
  expect(() => readByLibrary("msg=a b set=web", expected)).toThrow("was read as");
  readAsLogfmt('msg="a b" set=web', expected);
  readByLibrary('msg="a b" set=web', expected);
});
