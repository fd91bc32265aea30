import type { Fields } from "../core/log-event.ts";

/** A line that says something else than it may. The message is for people: it goes to the peer and to the log. */
export class RefusedMessage extends Error {
  override readonly name = "RefusedMessage";
}

/** PID_MAX_LIMIT of 64-bit Linux (proc(5), pid_max). Process 1 is never anybody's worker. */
const smallestPid = 2;
const largestPid = 2 ** 22;

const longestId = 128;
const longestShown = 60;

/** JSON.stringify takes time by the square of the depth: seconds for the deepest value that a line can hold. */
const deepestShown = 16;

/**
 * Reads the keys of one message, each by its type. Keys that nobody asks for are ignored: a newer peer may say more. JSON.parse
 * makes `__proto__` a key like any other, so nothing is inherited but what every object has.
 */
export class MessageReader {
  readonly #members: Readonly<Record<string, unknown>>;

  /** @throws RefusedMessage when the line is not one JSON object. */
  constructor(line: string) {
    const value = parseJson(line);
    if (!isObject(value)) throw new RefusedMessage(`a message is a JSON object, not ${describe(value)}`);
    this.#members = value;
  }

  text(key: string): string {
    const value = this.#members[key];
    if (typeof value !== "string") throw this.#refusal(key, "a string");
    return value;
  }

  /** Empty when the key is missing or null. */
  optionalText(key: string): string {
    return this.#members[key] == null ? "" : this.text(key);
  }

  id(): string {
    const value = this.text("id");
    if (value === "" || value.length > longestId)
      throw this.#refusal("id", `1 to ${longestId} characters long`);
    return value;
  }

  pid(): number {
    return this.#integer("pid", smallestPid, largestPid);
  }

  version(key: string): number {
    return this.#integer(key, 1, Number.MAX_SAFE_INTEGER);
  }

  isTrue(key: string): boolean {
    return this.#members[key] === true;
  }

  oneOf<Choice extends string>(key: string, choices: readonly Choice[]): Choice {
    const value = this.#members[key];
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw this.#refusal(key, `one of ${choices.join(", ")}`);
    return choice;
  }

  /** Every other key, for the log: what is no plain value is shown as JSON, null is left out. */
  otherFields(known: readonly string[]): Fields {
    const entries = Object.entries(this.#members)
      .filter(([key, value]) => !known.includes(key) && value !== null)
      .map(([key, value]) => [key, fieldValue(value)] as const);
    // Not by assignment: that would make a key named `__proto__` the object's prototype.
    return Object.fromEntries(entries);
  }

  #integer(key: string, smallest: number, largest: number): number {
    const value = this.#members[key];
    if (typeof value !== "number" || !Number.isInteger(value) || value < smallest || value > largest) {
      throw this.#refusal(key, `an integer from ${smallest} to ${largest}`);
    }
    return value;
  }

  #refusal(key: string, expected: string): RefusedMessage {
    const value = this.#members[key];
    return new RefusedMessage(
      value === undefined
        ? `"${key}" is missing; it must be ${expected}`
        : `"${key}" must be ${expected}, not ${describe(value)}`,
    );
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^JSON Parse error: /, "") : String(error);
    throw new RefusedMessage(`the line is not JSON: ${shorten(reason)}`);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fieldValue(value: unknown): string | number | boolean {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return isDeeperThan(value, deepestShown) ? "a value nested too deeply" : JSON.stringify(value);
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (isObject(value)) return "an object";
  return shorten(JSON.stringify(value));
}

function shorten(text: string): string {
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}
