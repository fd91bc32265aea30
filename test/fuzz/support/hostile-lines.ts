/** Lines as a hostile peer would send them to the supervisor's socket, from a seed: cheap enough for millions. */
import type { Dice } from "../../core/random/dice.ts";

const newline = 0x0a;

const texts = [
  "",
  "w-1",
  "x".repeat(128),
  "x".repeat(129),
  "null",
  "level=critical msg=forged",
  'a"b\\c',
  "two\nlines\r\n\u2028\u2029\u0085\u000b",
  "\u001b[31m\u009b2J\u202eevil",
  "\ud800",
  "\udfff\ud83d",
  "\u{1f600}\ufeff\ufffd\u0000",
  "__proto__",
  "constructor",
  "C:\\temp\\",
];

/** Written as JSON, so that what JavaScript has no value for can be said. */
const oddValues = [
  "null",
  "true",
  "false",
  "0",
  "-0",
  "1",
  "2",
  "-2",
  "2.0",
  "2.5",
  "4194304",
  "4194305",
  "1e999",
  "-1e999",
  "1e-999",
  "9007199254740993",
  "123456789012345678901234567890",
  "[]",
  '["ack"]',
  "{}",
  '{"toString":1}',
  '{"__proto__":{"action":"ack"}}',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u0000"',
  `"${"z".repeat(1000)}"`,
  `["${"z".repeat(1000)}"]`,
  '"ack"',
  '"hello"',
  '"info"',
];

/** What is no JSON in itself, put into something that was. */
const splinters = [
  "{",
  "}",
  "[",
  "]",
  '"',
  ":",
  ",",
  "\\",
  "\\u",
  "\\ud800",
  "/*",
  "//",
  "NaN",
  "'",
  "\t",
  "\0",
  "\r",
];

const keys = ["action", "id", "pid", "protocol", "file", "message", "error", "level", "msg"];
const strangeKeys = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "",
  "ts",
  "service",
  "0",
];
const actions = ["ack", "error", "hello", "loading", "ready", "launched", "failed", "log"];
const levels = ["critical", "error", "warning", "info", "debug", "trace"];

/** Of a hundred lines, how many are made how. */
const recipes: readonly (readonly [weight: number, make: (dice: Dice) => Uint8Array])[] = [
  [24, (dice) => encode(writeMessage(dice))],
  [26, (dice) => mutate(dice, encode(writeMessage(dice)))],
  [20, (dice) => encode(writeObject(dice))],
  [8, (dice) => mutate(dice, encode(writeObject(dice)))],
  [8, randomBytes],
  [6, (dice) => encode(nest(dice))],
  [4, (dice) => encode(anyJson(dice))],
  [3, withLoneSurrogates],
  [1, (dice) => encode(pad(writeMessage(dice), 1 + dice.below(3000)))],
];

/** One line without its newline; most are short, none is longer than the protocol allows. */
export function hostileLine(dice: Dice): Uint8Array {
  let left = dice.below(100);
  for (const [weight, make] of recipes) {
    if (left < weight) return withoutNewlines(make(dice));
    left -= weight;
  }
  throw new Error("the weights of the recipes don't add up to a hundred");
}

/** A message with every key that it must have, each of the right type, if not of a likely value; sometimes more keys. */
function writeMessage(dice: Dice): string {
  const action = pick(dice, actions);
  const members = [member("action", JSON.stringify(action)), ...ownMembers(dice, action)];
  while (dice.chance(0.2)) members.push(member(pick(dice, strangeKeys), oddValue(dice)));
  return join(dice, members);
}

function ownMembers(dice: Dice, action: string): string[] {
  const text = (key: string) => member(key, JSON.stringify(pick(dice, texts)));
  const pid = () => member("pid", String(2 + dice.below(2 ** 22 - 1)));
  switch (action) {
    case "ack":
      return [text("id")];
    case "hello":
      return [pid(), member("protocol", String(1 + dice.below(3)))];
    case "loading":
      return [text("file")];
    case "launched":
      return [text("id"), pid()];
    case "failed":
      return [text("id"), text("message")];
    case "error":
      return [text("id"), text("message"), text("error")];
    case "log":
      return [member("level", JSON.stringify(pick(dice, levels))), text("msg"), text(pick(dice, texts))];
    default:
      return [];
  }
}

/** The right keys with the wrong values, keys twice, keys that every object inherits. */
function writeObject(dice: Dice): string {
  const members = [member("action", dice.chance(0.8) ? JSON.stringify(pick(dice, actions)) : oddValue(dice))];
  const count = dice.below(6);
  for (let index = 0; index < count; index += 1)
    members.push(member(pick(dice, dice.chance(0.8) ? keys : strangeKeys), oddValue(dice)));
  return join(dice, members);
}

function join(dice: Dice, members: string[]): string {
  if (dice.chance(0.3)) members.reverse();
  const space = dice.chance(0.1) ? " " : "";
  return `${space}{${members.join(`${space},${space}`)}}${space}`;
}

function member(key: string, json: string): string {
  return `${JSON.stringify(key)}:${json}`;
}

function oddValue(dice: Dice): string {
  return dice.chance(0.3) ? JSON.stringify(pick(dice, texts)) : pick(dice, oddValues);
}

function anyJson(dice: Dice): string {
  return dice.chance(0.5) ? oddValue(dice) : `[${oddValue(dice)},${oddValue(dice)}]`;
}

/** Mostly some levels, now and then as many as a line can hold; sometimes as the value of a key that is asked for. */
function nest(dice: Dice): string {
  const depth = dice.chance(0.002) ? 30_000 : 1 + dice.below(40);
  const [open, close] = dice.chance(0.5) ? ["[", "]"] : ['{"a":', "}"];
  const fitting = Math.min(depth, Math.floor(60_000 / (open.length + close.length)));
  const deep = open.repeat(fitting) + (dice.chance(0.8) ? `1${close.repeat(fitting)}` : "");
  if (dice.chance(0.3)) return deep;
  return `{"action":"log","level":"info","msg":"m",${JSON.stringify(pick(dice, keys))}:${deep}}`;
}

/** CESU-8's way to write half a character, which is no UTF-8; and an escape, which is JSON. */
function withLoneSurrogates(dice: Dice): Uint8Array {
  const [before = "", after = ""] = writeMessage(dice).split(/(?<=":")/, 2);
  const half = [0xed, 0xa0 + dice.below(0x20), 0x80 + dice.below(0x40)];
  return Uint8Array.from([...encode(before), ...half, ...encode(after)]);
}

function randomBytes(dice: Dice): Uint8Array {
  return Uint8Array.from({ length: dice.below(60) }, () => dice.below(256));
}

function pad(text: string, length: number): string {
  return text.replace("{", `{"padding":"${"y".repeat(length)}",`);
}

/** One to four changes: bytes flipped, taken out, put in, repeated, cut off. */
function mutate(dice: Dice, bytes: Uint8Array): Uint8Array {
  let changed = bytes;
  for (let left = 1 + dice.below(4); left > 0; left -= 1) changed = change(dice, changed);
  return changed;
}

function change(dice: Dice, bytes: Uint8Array): Uint8Array {
  const at = dice.below(bytes.length + 1);
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (dice.below(6)) {
    case 0:
      return Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ (1 << dice.below(8)) : byte));
    case 1:
      return concat(head, tail.subarray(1 + dice.below(8)));
    case 2:
      return concat(head, encode(pick(dice, splinters)), tail);
    case 3:
      return concat(head, Uint8Array.of(dice.below(256)), tail);
    case 4:
      return concat(head, tail.subarray(0, dice.below(12)), tail);
    default:
      return head;
  }
}

function withoutNewlines(bytes: Uint8Array): Uint8Array {
  return bytes.includes(newline) ? bytes.filter((byte) => byte !== newline) : bytes;
}

function encode(text: string): Uint8Array {
  return Buffer.from(text);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function pick(dice: Dice, list: readonly string[]): string {
  return dice.pick(list) ?? "";
}
