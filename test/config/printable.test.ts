import { describe, expect, test } from "bun:test";
import { arrangeErrors, type ConfigError, formatConfigErrors } from "../../src/config/config-error.ts";
import { formatKey, quote } from "../../src/config/printable.ts";

test("quote cuts what is too long for a message", () => {
  expect(quote('a "b"')).toBe('"a \\"b\\""');
  expect(quote("x".repeat(1000))).toBe(`"${"x".repeat(80)}…"`);
});

test.each([
  [["worker", "count"], "worker.count"],
  [["worker", "cmdline[2]"], "worker.cmdline[2]"],
  [["worker", "env", "a.b"], 'worker.env."a.b"'],
  [["", "a\n"], '""."a\\n"'],
])("formatKey(%j) is %s", (parts, key) => {
  expect(formatKey(parts)).toBe(key);
});

const error: ConfigError = {
  kind: "invalid",
  file: "shop.toml",
  line: 12,
  key: "worker.stop_timeout",
  expected: 'a duration such as "10s" or "2m 30s"',
  found: "10 (an integer)",
};

describe("formatConfigErrors", () => {
  test.each([
    [
      {},
      'shop.toml:12: worker.stop_timeout: expected a duration such as "10s" or "2m 30s", found 10 (an integer)',
    ],
    [{ suggestion: 'write "10s"' }, ', found 10 (an integer); write "10s"'],
    [{ line: undefined }, "shop.toml: worker.stop_timeout: expected"],
    [{ file: undefined, line: undefined, key: "-n" }, "-n: expected a duration"],
    [{ key: "" }, "shop.toml:12: expected a duration"],
    [{ kind: "unknown-key", key: "worker.comand" }, 'shop.toml:12: unknown key "worker.comand"'],
    [{ file: "a\u001b\nb.toml" }, "a\\u001b\\nb.toml:12: worker"],
  ] as const)("%j", (change, text) => {
    expect(formatConfigErrors([{ ...error, ...change }])).toContain(text);
  });
});

test("arrangeErrors follows the lines, puts what has none last, and drops repetitions", () => {
  const at = (line: number | undefined, key: string): ConfigError => ({ ...error, line, key });
  const arranged = arrangeErrors([at(undefined, "a"), at(9, "b"), at(2, "c"), at(9, "d"), at(2, "c")]);
  expect(arranged.map(({ key }) => key)).toEqual(["c", "b", "d", "a"]);
});
