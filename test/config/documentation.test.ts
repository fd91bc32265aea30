import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { loadConfig } from "../../src/config/load.ts";
import { schema } from "../../src/config/schema.ts";
import { isTomlArray, parseToml, TomlTable } from "../../src/config/toml.ts";
import { createFakeWorld } from "./fake-world.ts";
import { loadMessages } from "./loading.ts";

const root = new URL("../../", import.meta.url);
const readText = (path: string): string => readFileSync(new URL(path, root), "utf8");
const documentation = readText("docs/CONFIGURATION.md");

type DocumentedKey = {
  readonly heading: string;
  readonly key: string;
  readonly type: string;
  readonly default: string;
  readonly meaning: string;
};

/** The rows of all tables that describe keys, with the heading that each stands under. */
function listDocumentedKeys(): readonly DocumentedKey[] {
  const keys: DocumentedKey[] = [];
  let [heading, isKeyTable] = ["", false];
  for (const line of documentation.split("\n")) {
    if (line.startsWith("#")) heading = line.replace(/^#+ /, "").replaceAll("`", "");
    if (!line.startsWith("|")) isKeyTable = false;
    const cells = line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    const [key = "", type = "", byDefault = "", meaning = ""] = cells;
    if (isKeyTable && !key.startsWith("---")) {
      const plain = [key, type, byDefault].map((cell) => cell.replaceAll("`", ""));
      keys.push({ heading, key: plain[0] ?? "", type: plain[1] ?? "", default: plain[2] ?? "", meaning });
    }
    if (key === "Key") isKeyTable = true;
  }
  return keys;
}

function headingOf(path: readonly string[], only: "program" | "ruby" | undefined): string {
  if (path.length === 2) return "restart: how many deaths are too many";
  if (path[0] !== "worker") return `[${path[0]}]`;
  return only === undefined ? "Every set" : `Sets of type ${only}`;
}

test("the documentation has exactly the schema's keys, with their types, defaults and meanings", () => {
  const known = schema.flatMap(({ path, fields }) =>
    fields.map(({ key, type, default: byDefault, meaning, only }) => {
      return { heading: headingOf(path, only), key, type, default: byDefault, meaning };
    }),
  );
  const sortKey = (key: DocumentedKey): string => `${key.heading} ${key.key}`;
  const sort = (keys: readonly DocumentedKey[]): readonly DocumentedKey[] =>
    keys.toSorted((left, right) => (sortKey(left) < sortKey(right) ? -1 : 1));
  expect(sort(listDocumentedKeys())).toEqual(sort(known));
});

test("every block of TOML in it is TOML", () => {
  const blocks = [...documentation.matchAll(/^```toml\n(.*?)^```$/gms)].map(([, block]) => block ?? "");
  expect(blocks.length).toBeGreaterThan(5);
  for (const block of blocks) {
    expect(parseToml(new TextEncoder().encode(block))).toMatchObject({ ok: true });
  }
});

test("the messages that it shows are the real ones", () => {
  const shown = /^```text\n(.*?)^```$/ms.exec(documentation)?.[1] ?? "";
  const file = [
    'supervisor.name = "shop"',
    "[worker]",
    "stop_timeout = 10",
    'type = "program"',
    'cmdline = ["sleep", "1"]',
    "",
    "comand = []",
    "[worker.env]",
    "PORT = 3000",
  ];
  expect(`${loadMessages(file.join("\n")).join("\n")}\n`).toBe(shown);
});

describe("the examples", () => {
  const files = ["Gemfile", "config/environment.rb"].map((path) => [`/srv/app/${path}`, ""]);
  const programs = ["/bin/tail", "/srv/app/bin/proxy"];

  test.each(readdirSync(new URL("examples/config/", root)))("%s is valid", (name) => {
    const text = readText(`examples/config/${name}`);
    const world = createFakeWorld({
      files: { ...Object.fromEntries(files), "/srv/app/kleinhirn.toml": text },
      programs,
    });
    const result = loadConfig("/srv/app/kleinhirn.toml", world);
    expect(result.ok ? [] : result).toEqual([]);
  });

  const annotated = readText("examples/config/annotated.toml");

  test("the annotated one is the one in the documentation", () => {
    expect(documentation).toContain(`\`\`\`toml\n${annotated}\`\`\``);
  });

  test("the annotated one has every key, set or commented out", () => {
    const active = annotated.replaceAll(/^# (\w+ = )/gm, "$1");
    const parsed = parseToml(new TextEncoder().encode(active));
    if (!parsed.ok) throw new Error(parsed.message);
    const present = new Set(listKeys(parsed.root));
    const missing = schema
      .flatMap(({ path, fields }) => fields.map(({ key }) => [...path, key].join(".")))
      .filter((key) => !present.has(key));
    expect(missing).toEqual([]);
  });

  test("what the annotated one sets or comments out as a default is the default", () => {
    const defaults = new Map(
      schema.flatMap(({ path, fields }) =>
        fields.map((field) => [[...path, field.key].join("."), field.default]),
      ),
    );
    const parsed = parseToml(new TextEncoder().encode(annotated));
    if (!parsed.ok) throw new Error(parsed.message);
    for (const [key, value] of listValues(parsed.root)) {
      const byDefault = defaults.get(key) ?? "";
      if (/^["\d]/.test(byDefault) && !byDefault.includes("for "))
        expect(`${key} ${value}`).toBe(`${key} ${byDefault}`);
    }
  });
});

/** Dotted keys as the schema has them: `workers.web.count` is `worker.count`. */
function listValues(table: TomlTable, path: readonly string[] = []): readonly [string, string][] {
  return [...table.entries].flatMap(([key, { value }]): readonly [string, string][] => {
    const inner = path[0] === "workers" && path.length === 1 ? ["worker"] : [...path, key];
    if (value instanceof TomlTable && key !== "env") return listValues(value, inner);
    return [[inner.join("."), isTomlArray(value) ? "array" : JSON.stringify(value)]];
  });
}

function listKeys(table: TomlTable): readonly string[] {
  return listValues(table).map(([key]) => key);
}
