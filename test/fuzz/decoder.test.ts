/** A million hostile lines through what reads the supervisor's socket: the decoder, and the parser behind it. */
import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { LineDecoder, maxLineBytes } from "../../src/protocol/line-decoder.ts";
import { encodeReply, type ParseResult, parseMessage } from "../../src/protocol/messages.ts";
import { Dice } from "../core/random/dice.ts";
import { announce, grouped, plainOrDeep, runs, say, seed, startProcessorTime } from "./support/campaign.ts";
import { hostileLine } from "./support/hostile-lines.ts";
import { understand } from "./support/protocol-model.ts";

announce("test/fuzz/decoder.test.ts");
setDefaultTimeout(plainOrDeep(300_000, 3_600_000));

const senders = ["worker", "preloader"] as const;
type Sender = (typeof senders)[number];

/** Long enough to say what is wrong; the peer's own text is quoted in part only. */
const longestReason = 300;

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Throws when the parser breaks a promise; `expect` a million times would take as long as all else. */
function checkLine(line: string, sender: Sender): ParseResult {
  const result = parseMessage(line, sender);
  const understood = understand(line, sender);
  const where = () => `${sender}: ${JSON.stringify(line)}: ${JSON.stringify(result)}`;
  if (result.ok !== (understood !== undefined))
    throw new Error(`the parser and the protocol disagree: ${where()}`);
  if (!result.ok) checkRefusal(result.reason, where);
  else if (result.from !== sender) throw new Error(`somebody else's message: ${where()}`);
  else checkMessage(Object.entries(result.message), understood ?? new Map(), where);
  return result;
}

/** The answer that carries it is one line, which says it. */
function checkRefusal(reason: string, where: () => string): void {
  if (reason === "" || reason.length > longestReason) throw new Error(`no reason to give: ${where()}`);
  const reply = encodeReply(reason);
  if (reply.indexOf("\n") !== reply.length - 1) throw new Error(`not one line of answer: ${where()}`);
  if (JSON.parse(reply).error !== reason) throw new Error(`an answer that says something else: ${where()}`);
}

/** Nothing in a message that the line doesn't have as a member of its own, under the same name or the wire's. */
function checkMessage(
  entries: readonly (readonly [string, unknown])[],
  members: ReadonlyMap<string, unknown>,
  where: () => string,
): void {
  for (const [key, value] of entries) {
    if (key === "fields") checkFields(value, members, where);
    else if (!isSaid(value, members.get(key === "message" && members.get("action") === "log" ? "msg" : key)))
      throw new Error(`"${key}" is not what was said: ${where()}`);
  }
}

function isSaid(value: unknown, said: unknown): boolean {
  return value === said || (value === "" && (said === undefined || said === null));
}

function checkFields(fields: unknown, members: ReadonlyMap<string, unknown>, where: () => string): void {
  if (typeof fields !== "object" || fields === null) throw new Error(`no fields: ${where()}`);
  if (Object.getPrototypeOf(fields) !== Object.prototype) throw new Error(`another prototype: ${where()}`);
  const known = ["action", "level", "msg"];
  for (const [key, value] of members) {
    if (value !== null && !known.includes(key) && !Object.hasOwn(fields, key))
      throw new Error(`the field "${key}" is lost: ${where()}`);
  }
  for (const [key, value] of Object.entries(fields)) {
    const isPlain = ["string", "number", "boolean"].includes(typeof value);
    if (!isPlain || !members.has(key)) throw new Error(`"${key}" is no field of it: ${where()}`);
  }
}

/** Cut anywhere, be it within a character, some of it byte by byte. */
function cut(dice: Dice, bytes: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const length = dice.chance(0.1) ? 1 : 1 + dice.below(dice.chance(0.5) ? 100 : 5000);
    chunks.push(bytes.subarray(start, start + length));
    start += length;
  }
  return chunks;
}

/** What a connection brings, as far as the decoder has to take it: a line that is too long is the end of it. */
type Stream = {
  readonly bytes: Uint8Array;
  readonly expected: readonly string[];
  readonly endsTooLong: boolean;
};

function makeStream(dice: Dice): Stream {
  const lines = Array.from({ length: 1 + dice.below(60) }, () => hostileLine(dice));
  const expected = lines.map((line) => utf8.decode(line));
  const endsTooLong = dice.chance(0.02);
  if (endsTooLong) lines.push(new Uint8Array(maxLineBytes + dice.below(3)).fill(0x78), Buffer.from("{}"));
  const rest = dice.chance(0.5) ? hostileLine(dice) : new Uint8Array(0);
  const bytes = Buffer.concat([...lines.flatMap((line) => [line, Uint8Array.of(0x0a)]), rest]);
  return { bytes, expected, endsTooLong };
}

function decodeStream(dice: Dice, { bytes, expected, endsTooLong }: Stream): readonly string[] {
  const decoder = new LineDecoder();
  const decoded = cut(dice, bytes).flatMap((chunk) => decoder.push(chunk));
  const texts = decoded.flatMap((line) => (line.kind === "line" ? [line.text] : []));
  const isSame = texts.length === expected.length && texts.every((text, index) => text === expected[index]);
  const tooLong = decoded.length - texts.length;
  if (!isSame || tooLong !== (endsTooLong ? 1 : 0))
    throw new Error(`the stream was cut into other lines: ${bytes.toBase64()}`);
  return texts;
}

test("a million lines, cut anywhere, come out as they went in, and each is a message of the protocol or refused", () => {
  const lines = plainOrDeep(1_000_000, 10_000_000);
  const dice = new Dice(seed);
  const processorSeconds = startProcessorTime();
  const tally = { streams: 0, lines: 0, bytes: 0, accepted: 0 };
  while (tally.lines < lines) {
    const stream = makeStream(dice);
    const sender = dice.oneOf(...senders);
    for (const text of decodeStream(dice, stream)) {
      if (checkLine(text, sender).ok) tally.accepted += 1;
      tally.lines += 1;
    }
    tally.streams += 1;
    tally.bytes += stream.bytes.length;
  }
  say(
    `${grouped(tally.lines)} lines (${grouped(tally.bytes / 2 ** 20)} MiB) of ${grouped(tally.streams)} connections, ` +
      `${grouped(tally.accepted)} of them messages: ${grouped(tally.lines / processorSeconds())} lines a second of one processor`,
  );
  // A generator that has lost its way makes nothing but garbage, or nothing wrong.
  expect(tally.accepted / tally.lines).toBeWithin(0.05, 0.5);
});

test("structured lines that fast-check draws, and shrinks when one fails", () => {
  const key = fc.oneof(
    fc.constantFrom(
      "action",
      "id",
      "pid",
      "protocol",
      "file",
      "message",
      "error",
      "level",
      "msg",
      "__proto__",
    ),
    fc.string(),
  );
  const likely = fc.constantFrom(
    "ack",
    "error",
    "hello",
    "loading",
    "ready",
    "launched",
    "failed",
    "log",
    "info",
    2,
    1,
  );
  const value = fc.oneof(likely, fc.jsonValue(), fc.string({ unit: "binary" }));
  const object = fc.array(fc.tuple(key, value), { maxLength: 6 }).map((members) => {
    const written = members.map(([name, said]) => `${JSON.stringify(name)}:${JSON.stringify(said)}`);
    return `{${written.join(",")}}`;
  });
  const line = fc.oneof(fc.string({ unit: "binary" }), fc.json(), object);
  fc.assert(
    fc.property(line, fc.constantFrom(...senders), (text, sender) => {
      checkLine(utf8.decode(Buffer.from(text)), sender);
    }),
    runs(20_000, 200_000),
  );
});

test("a gigabyte in one line is given up at 64 KiB, and costs nothing after that", () => {
  const decoder = new LineDecoder();
  const chunk = new Uint8Array(1024 * 1024).fill(0x78);
  const before = process.memoryUsage().rss;
  const ends = Array.from({ length: 1024 }, () => decoder.push(chunk)).flat();
  expect(ends).toEqual([{ kind: "tooLong" }]);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
});

test("the model of the protocol refuses, and so do these tests, what they are to find", () => {
  expect(understand('{"action":"ack","id":"w-1"}', "worker")?.get("id")).toBe("w-1");
  for (const line of [
    '{"action":"ack"}',
    '{"action":"toString"}',
    '{"__proto__":{"action":"ready"}}',
    "[]",
    "{",
  ])
    for (const sender of senders) expect(understand(line, sender)).toBeUndefined();
  const members = new Map([["action", "ack"]]);
  expect(() => checkMessage([["id", "forged"]], members, () => "")).toThrow("not what was said");
  expect(() => checkFields({ forged: 1 }, members, () => "")).toThrow("no field of it");
  const stream = { bytes: Buffer.from("one\n"), expected: ["two"], endsTooLong: false };
  expect(() => decodeStream(new Dice(1), stream)).toThrow("other lines");
});
