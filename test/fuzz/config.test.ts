/** Whatever stands in a configuration file: a configuration that `check` can print, or errors that say where and what. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { formatConfigErrors } from "../../src/config/config-error.ts";
import { describeConfig } from "../../src/config/describe.ts";
import type { LoadResult } from "../../src/config/load.ts";
import { loadText } from "../config/loading.ts";
import { repository } from "../helpers/running.ts";
import { announce, grouped, plainOrDeep, runs, say, startProcessorTime } from "./support/campaign.ts";
import { mutatedBytes, mutatedFile, neighbours, validFiles } from "./support/config-mutations.ts";

announce("test/fuzz/config.test.ts");
setDefaultTimeout(plainOrDeep(300_000, 3_600_000));

const machine = {
  files: Object.fromEntries(neighbours.files.map((name) => [`/srv/shop/${name}`, ""])),
  programs: ["/bin/tail", ...neighbours.programs.map((name) => `/srv/shop/${name}`)],
};

const controls = /(?!\n)[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** Only what is missing altogether, with the table that it belongs to, stands on no line. */
const mayBeMissing = /^(supervisor|supervisor\.name|worker)$/;

/** @returns whether it was refused. */
function checkAnswer(result: LoadResult, lines: number): boolean {
  if (result.ok) {
    const description = describeConfig(result.config, {});
    expect(description).toMatch(/^[\w.-]+: \d+ workers? in \d+ sets?\n {2}file /);
    expect(description).not.toMatch(controls);
    return false;
  }
  if (result.reason !== "invalid") throw new Error(result.message);
  expect(result.errors.length).toBeGreaterThan(0);
  let last = 0;
  for (const { line, key, expected, found } of result.errors) {
    if (line === undefined) expect(key).toMatch(mayBeMissing);
    else expect(line).toBeWithin(1, lines + 1);
    expect(line ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(last);
    last = line ?? Number.POSITIVE_INFINITY;
    expect(expected).not.toBe("");
    expect(found).not.toBe("");
  }
  const message = formatConfigErrors(result.errors);
  expect(message.split("\n")).toHaveLength(result.errors.length);
  expect(message).not.toMatch(/undefined|\[object|null,/);
  expect(message).not.toMatch(controls);
  return true;
}

function countLines(text: string | Uint8Array): number {
  return Buffer.from(text).toString("latin1").split("\n").length;
}

test("the files themselves are valid", () => {
  for (const text of validFiles) expect(checkAnswer(loadText(text, machine), countLines(text))).toBeFalse();
});

test.each([
  ["text", mutatedFile],
  ["bytes", mutatedBytes],
] as const)(
  "whatever is done to a valid file, as %s: a configuration, or errors that say something",
  (name, arbitrary) => {
    let refused = 0;
    const inherited = Object.getOwnPropertyNames(Object.prototype);
    const parameters = runs<[string | Uint8Array]>(3000, 50_000);
    const { numRuns = 0 } = parameters;
    const processorSeconds = startProcessorTime();
    fc.assert(
      fc.property(arbitrary as fc.Arbitrary<string | Uint8Array>, (content) => {
        if (checkAnswer(loadText(content, machine), countLines(content))) refused += 1;
      }),
      parameters,
    );
    const perSecond = grouped(numRuns / processorSeconds());
    say(
      `${grouped(numRuns)} files (${name}), ${grouped(refused)} of them refused: ${perSecond} a second of one processor`,
    );
    expect(refused / numRuns).toBeWithin(0.2, 0.99);
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(inherited);
  },
);

/** Each of what a file can have too much of. */
const program = '[supervisor]\nname = "shop"\n[worker]\ntype = "program"\ncmdline = ["sleep", "1"]\n';
test.each([
  ["a key of a million characters", `${program}${"x".repeat(1_000_000)} = 1`],
  [
    "ten thousand unknown keys",
    program + Array.from({ length: 10_000 }, (_, index) => `k${index} = 1`).join("\n"),
  ],
  ["arrays in arrays, never closed", `${program}x = ${"[".repeat(100_000)}`],
  ["arrays in arrays, closed", `${program}x = ${"[".repeat(20_000)}${"]".repeat(20_000)}`],
  ["tables in tables", `${program}x = ${"{ a = ".repeat(100_000)}`],
  ["a key of a hundred thousand parts", `${program}x${".a".repeat(100_000)} = 1`],
  ["a header of a hundred thousand parts", `${program}[x${".a".repeat(100_000)}]`],
  ["a text of two million characters", `${program}env = { A = "${"y".repeat(2_000_000)}" }`],
  ["a hundred thousand arguments", program.replace('"1"', `${'"1", '.repeat(100_000)}"1"`)],
  ["a hundred thousand variables", `${program}[worker.env]\n${numbered(100_000, "K", '"1"')}`],
  ["nothing but zero bytes", new Uint8Array(5_000_000)],
  ["nothing but bytes that are no UTF-8", new Uint8Array(5_000_000).fill(0xff)],
  ["nothing but empty lines", "\n".repeat(5_000_000)],
  ["a duration of a million digits", `${program}stop_timeout = "${"1".repeat(1_000_000)}s"`],
  ["an address of a million colons", `${program}[health_check]\nlisten_addr = "${":".repeat(1_000_000)}"`],
])("%s: an answer, and soon", (_, content) => {
  const processorSeconds = startProcessorTime();
  checkAnswer(loadText(content, machine), countLines(content));
  // Of the processor, however busy the machine: about a second at the most; what takes time by the square takes twenty.
  expect(processorSeconds()).toBeLessThan(10);
});

function numbered(count: number, name: string, value: string): string {
  return Array.from({ length: count }, (_, index) => `${name}${index} = ${value}`).join("\n");
}

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kleinhirn-"));
  for (const name of [...neighbours.files, ...neighbours.programs]) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), "");
    chmodSync(join(folder, name), 0o755);
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Ends by 0 with a description, or by 78 with a line for each error and one that counts them; nothing else is ever said. */
async function expectCheck(name: string, content: Uint8Array): Promise<number> {
  const file = join(folder, name);
  writeFileSync(file, content);
  const child = Bun.spawn([process.execPath, join(repository, "kleinhirn.ts"), "check", "-f", file], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, errors, status] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  const where = `${Buffer.from(content).toBase64()} gave ${status}: ${output}${errors}`;
  if (status === 0) {
    if (output === "" || errors !== "") throw new Error(where);
    return status;
  }
  const lines = errors.trimEnd().split("\n");
  const summary = lines.pop() ?? "";
  const areErrors = lines.length > 0 && lines.every((line) => line.startsWith(file));
  if (status !== 78 || output !== "" || !areErrors || !/^kleinhirn: .*nothing was started$/.test(summary))
    throw new Error(where);
  return status;
}

test("`kleinhirn check`, the real one: 0 and a description, or 78 and a line for each error; never anything else", async () => {
  const count = plainOrDeep(60, 1000);
  const contents = fc.sample(mutatedBytes, { ...runs<Uint8Array>(0, 0), numRuns: count });
  const statuses: number[] = [];
  const one = async (own: number) => {
    for (let content = contents.pop(); content !== undefined; content = contents.pop())
      statuses.push(await expectCheck(`${own}.toml`, content));
  };
  await Promise.all([0, 1, 2, 3].map(one));
  expect(statuses).toHaveLength(count);
  expect(new Set(statuses)).toEqual(new Set([0, 78]));
});
