/** Configuration files in which everything is right, and what a slip of the hand, a bad merge or malice makes of them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { repository } from "../../helpers/running.ts";

const everyKindOfKey = `# A file in which everything is right.
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

const inRepository = [
  "examples/config/annotated.toml",
  "examples/config/program.toml",
  "examples/config/web-and-jobs.toml",
  "test/config/fixtures/program.toml",
  "test/config/fixtures/program-with-acks.toml",
];

/** What these files name has to be beside them for them to be valid; `neighbours` has it all. */
export const validFiles: readonly string[] = [
  everyKindOfKey,
  ...inRepository.map((path) => readFileSync(join(repository, path), "utf8")),
];

export const neighbours = {
  files: ["Gemfile", "app.rb", "config/environment.rb"],
  programs: ["bin/proxy"],
};

const mostRows = Math.max(...validFiles.map((text) => text.split("\n").length));
const mostCharacters = Math.max(...validFiles.map((text) => text.length));

const spot = fc.nat({ max: mostCharacters });
const row = fc.nat({ max: mostRows });
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
    '"\u009b2J"',
    "'\u202e'",
    '"\\u001b[2J"',
    '"a\u0085b" = 1',
  ),
  fc.constantFrom(
    ...new Set(validFiles.flatMap((text) => text.split("\n"))),
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

/** A valid file and one to four changes to it. */
export const mutatedFile: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...validFiles), fc.array(edit, { minLength: 1, maxLength: 4 }))
  .map(([text, edits]) => edits.reduce((changed, apply) => apply(changed), text));

/** The same, and then some bytes overwritten: what is no UTF-8 any more, and what is but another character. */
export const mutatedBytes: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.oneof(fc.constantFrom(...validFiles), mutatedFile),
    fc.array(fc.tuple(fc.nat(), fc.oneof(fc.integer({ min: 32, max: 126 }), fc.nat({ max: 255 }))), {
      minLength: 1,
      maxLength: 2,
    }),
  )
  .map(([text, changes]) => {
    const bytes = new TextEncoder().encode(text);
    for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
    return bytes;
  });
