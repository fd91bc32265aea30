import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatConfigErrors } from "../../src/config/config-error.ts";
import { describeConfig } from "../../src/config/describe.ts";
import { loadText } from "./loading.ts";

const validFile = `# A file in which everything is right.
[supervisor]
name = "shop"
socket = "shop.sock"
shutdown_timeout = "1m"
drain_delay = "5s"

[health_check]
listen_addr = "127.0.0.1:3000"
endpoint = "/healthz"

[log]
level = "debug"
format = { format = "logfmt", print_prefix = true }

[workers.web]
count = 2
type = "ruby"
gemfile = "Gemfile"
load = "app.rb"
start_expression = """
Shop.run
"""
restart = { intensity = 3, period = "2m", backoff = "1s" }

[workers.jobs]
type = "program"
cmdline = ["sleep", "60"]
ack_workers = true
stop_signal = "INT"
env = { A = "1", "B.C" = "2" }
`;
const lines = validFile.split("\n");

const spot = fc.nat({ max: validFile.length });
const row = fc.nat({ max: lines.length - 1 });
const piece = fc.oneof(
  fc.string({ maxLength: 3, unit: "binary" }),
  fc.constantFrom(
    "[",
    "]",
    "{",
    "}",
    "=",
    '"',
    "'''",
    '"""',
    "\n",
    ".",
    "-1",
    "1e9",
    "true",
    "2020-01-01",
    "\u0000",
    "#",
  ),
  fc.constantFrom(
    ...lines,
    "__proto__ = 1",
    "[constructor]",
    "[worker]",
    "env.__proto__ = 1",
    "[workers.__proto__]",
  ),
);

type Edit = (text: string) => string;

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(spot, piece).map(
    ([at, added]): Edit =>
      (text) =>
        text.slice(0, at) + added + text.slice(at),
  ),
  fc.tuple(spot, fc.nat({ max: 20 })).map(
    ([at, n]): Edit =>
      (text) =>
        text.slice(0, at) + text.slice(at + n),
  ),
  fc.tuple(row, piece).map(
    ([at, added]): Edit =>
      (text) =>
        replaceLine(text, at, added),
  ),
  fc.tuple(row, row).map(
    ([from, to]): Edit =>
      (text) =>
        replaceLine(text, to, text.split("\n")[from] ?? ""),
  ),
  fc.tuple(row, piece).map(
    ([at, value]): Edit =>
      (text) => {
        const line = text.split("\n")[at] ?? "";
        return replaceLine(text, at, line.replace(/=.*/s, `= ${value}`));
      },
  ),
);

function replaceLine(text: string, at: number, line: string): string {
  return text
    .split("\n")
    .with(Math.min(at, text.split("\n").length - 1), line)
    .join("\n");
}

test("the file itself is valid", () => {
  expect(loadText(validFile).ok).toBe(true);
});

test("whatever is done to it, the answer is a configuration or a list of errors that say something", () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const text = edits.reduce((changed, apply) => apply(changed), validFile);
      const result = loadText(text);
      if (result.ok) {
        expect(describeConfig(result.config, {})).not.toBe("");
        return;
      }
      if (result.reason !== "invalid") throw new Error(result.message);
      refused++;
      expect(result.errors.length).toBeGreaterThan(0);
      let last = 0;
      for (const error of result.errors) {
        const line = error.line ?? Number.POSITIVE_INFINITY;
        expect(line).toBeGreaterThanOrEqual(last);
        if (error.line !== undefined) expect(error.line).toBeLessThanOrEqual(text.split("\n").length);
        last = line;
        expect(error.expected).not.toBe("");
        expect(error.found).not.toBe("");
      }
      const message = formatConfigErrors(result.errors);
      expect(message.split("\n")).toHaveLength(result.errors.length);
      expect(message).not.toMatch(/undefined|\[object|null,/);
    }),
    { numRuns: 400 },
  );
  expect(refused).toBeGreaterThan(50);
});
