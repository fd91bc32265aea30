import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseToml, TomlTable, type TomlValue } from "../../src/config/toml.ts";
import { hostileText } from "../logging/arbitraries.ts";
import { renderDocument, statements } from "./toml-generator.ts";

function parse(text: string): TomlTable {
  const result = parseToml(new TextEncoder().encode(text));
  if (!result.ok) throw new Error(`line ${result.line}: ${result.message}`);
  return result.root;
}

function refuse(input: string | Uint8Array): { line: number; message: string } {
  const result = parseToml(typeof input === "string" ? new TextEncoder().encode(input) : input);
  if (result.ok) throw new Error("it is valid");
  return { line: result.line, message: result.message };
}

/** Every key with its line; the parts of a key are joined with a slash. */
function listLines(table: TomlTable, prefix = ""): Map<string, number | undefined> {
  const lines = new Map<string, number | undefined>();
  for (const [key, { line, value }] of table.entries) {
    lines.set(prefix + key, line);
    for (const inner of [value].flat()) {
      if (!(inner instanceof TomlTable)) continue;
      for (const [path, innerLine] of listLines(inner, `${prefix}${key}/`)) lines.set(path, innerLine);
    }
  }
  return lines;
}

function valueAt(table: TomlTable, ...path: readonly string[]): TomlValue | undefined {
  let value: TomlValue | undefined = table;
  for (const key of path) value = value instanceof TomlTable ? value.entries.get(key)?.value : undefined;
  return value;
}

describe("positions", () => {
  test("nothing in a value is taken for a key or a header", () => {
    const root = parse(
      [
        "# [comment]",
        "[worker.restart] # = 1",
        "intensity=3",
        "",
        "[worker]",
        'text = """',
        "[fake]",
        'count = 1 """',
        "raw = '''",
        "fake = 2",
        "'''",
        "list = [ # ]",
        '  "[x]", "y = 1",',
        "]",
        'inner = { a = 1, b = { c = "}", d.e = [',
        "  2], f = 3 } }",
        '"quo.ted" = 1',
        "'dot'.ted.\"key\" = 1",
        "[[things]]",
        "x = 1",
        "[[things]]",
        "y = 1",
      ].join("\n"),
    );
    expect([...listLines(root)]).toEqual([
      ["worker", 5],
      ["worker/restart", 2],
      ["worker/restart/intensity", 3],
      ["worker/text", 6],
      ["worker/raw", 9],
      ["worker/list", 12],
      ["worker/inner", 15],
      ["worker/inner/a", 15],
      ["worker/inner/b", 15],
      ["worker/inner/b/c", 15],
      ["worker/inner/b/d", 15],
      ["worker/inner/b/d/e", 15],
      ["worker/inner/b/f", 16],
      ["worker/quo.ted", 17],
      ["worker/dot", 18],
      ["worker/dot/ted", 18],
      ["worker/dot/ted/key", 18],
      ["things", 21],
      ["things/x", 20],
      ["things/y", 22],
    ]);
  });

  test("lines ended by CR LF count like others", () => {
    expect([...listLines(parse("a = 1\r\n\r\n[b]\r\nc = 2\r\n"))]).toEqual([
      ["a", 1],
      ["b", 3],
      ["b/c", 4],
    ]);
  });

  test("each key of a generated document is found on the line on which it was written", () => {
    fc.assert(
      fc.property(statements, (generated) => {
        const { text, lines } = renderDocument(generated);
        expect(listLines(parse(text))).toEqual(lines);
      }),
      { numRuns: 300 },
    );
  });
});

describe("keys that every JavaScript object inherits", () => {
  const inherited = ["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty", "__defineGetter__"];

  test.each(inherited)("%s is an ordinary key, table and part of a dotted key", (key) => {
    const root = parse(
      `[${key}]\nx = 1\n[a]\n${key} = 2\n[b]\n${key}.${key}.y = 3\n[c]\nd = { ${key} = { z = 4 } }`,
    );
    expect(valueAt(root, key, "x")).toBe(1);
    expect(valueAt(root, "a", key)).toBe(2);
    expect(valueAt(root, "b", key, key, "y")).toBe(3);
    expect(valueAt(root, "c", "d", key, "z")).toBe(4);
  });

  test("nothing of a file reaches the objects that all others inherit from", () => {
    parse(
      "[constructor]\nspoilt = 1\n[toString]\nspoilt = 1\n[__proto__]\nspoilt = 1\n[a]\nvalueOf.spoilt = 1",
    );
    for (const object of [Object, Object.prototype.toString, {}, Object.prototype.valueOf]) {
      expect("spoilt" in object).toBe(false);
    }
  });
});

describe("syntax errors", () => {
  test.each([
    ["a = 1\na = 2", 2, 'a second definition of "a"; the first is on line 1'],
    ["[w]\nb = 1\n\n[w]", 4, 'a second definition of "w"; the first is on line 1'],
    ["[w]\nb = 1\nb = [\n1]", 3, 'a second definition of "w.b"; the first is on line 2'],
    ["w = 1\n[w.x]", 2, 'a second definition of "w"; the first is on line 1'],
    ["w = { a = 1, a = 2 }", 1, 'a second definition of "a"'],
    ["\n  !", 2, 'unexpected "!" at column 3'],
    ["a = 1\n\nb = ", 3, "key without value at column 5"],
    ["x = 'never\n", 1, "unterminated string at column 11"],
    ['x = """\n\n', 3, "unterminated multi-line string at column 1"],
    ["x = [1,\n2,", 2, "an unterminated array or inline table at column 3"],
    ["x = { a = 1", 1, "an unterminated array or inline table at column 12"],
    ['x = "\\q"', 1, 'an unknown escape "\\q" at column 7'],
    ['"\\', 1, 'an unknown escape "\\" at column 3'],
    ["x = 1 y = 2", 1, "at column 7"],
    ["x = 2020-13-45", 1, "invalid Datetime"],
  ])("%j on line %d", (text, line, message) => {
    const error = refuse(text);
    expect(error.line).toBe(line);
    expect(error.message).toContain(message);
  });

  test("values nested beyond all reason are an error like others", () => {
    expect(refuse(`x = ${"[".repeat(200_000)}${"]".repeat(200_000)}`).message).toContain("nested too deeply");
  });

  test("text that isn't UTF-8 is told with its line and byte", () => {
    const bytes = new Uint8Array([...new TextEncoder().encode('a = "ä\ufffd"\nb = "'), 0xff, 0x22]);
    expect(refuse(bytes)).toEqual({ line: 2, message: "text that is not UTF-8, at byte 17 of the file" });
    expect(refuse(new Uint8Array([0x23, 0xe2, 0x82])).message).toContain("at byte 1 of the file");
  });

  test("UTF-16 gets a message of its own", () => {
    expect(refuse(new Uint8Array([0xff, 0xfe, 0x61, 0x00])).message).toContain("save it as UTF-8");
  });

  test("a byte order mark is left out", () => {
    expect([...listLines(parse("\ufeffa = 1"))]).toEqual([["a", 1]]);
  });

  test("no bytes whatever make it throw, and an error is on a line of the file", () => {
    const pieces = fc.constantFrom(
      "[",
      "]",
      "{",
      "}",
      "=",
      '"',
      "'",
      "\n",
      ".",
      ",",
      "a",
      "1",
      "-",
      "#",
      "\\",
      " ",
      ":",
    );
    const soup = fc.oneof(fc.string({ unit: pieces, maxLength: 30 }), hostileText);
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      soup.map((text) => new TextEncoder().encode(text)),
    );
    fc.assert(
      fc.property(bytes, (input) => {
        const result = parseToml(input);
        if (result.ok) return;
        const newlines = input.filter((byte) => byte === 0x0a).length;
        expect(result.line).toBeGreaterThanOrEqual(1);
        expect(result.line).toBeLessThanOrEqual(newlines + 1);
        expect(result.message).not.toBe("");
      }),
      { numRuns: 1000 },
    );
  });
});
