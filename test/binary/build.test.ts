/** What script/build makes: the same every time, with the gem and the commit in it. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { composeGemProgram, rewireRequires } from "../../script/lib/gem-program.ts";
import { listRepositoryFiles } from "../../script/lib/repository-files.ts";
import { build } from "../helpers/built.ts";
import { repository } from "../helpers/program.ts";
import { testTimeoutMs } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kleinhirn-build-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a build needs of the tree, somewhere else. */
function copyTree(to: string): void {
  const packages = Object.keys(manifest.dependencies).map((name) => `node_modules/${name}`);
  const files = listRepositoryFiles().filter((path) => !/^(test|docs|examples|bench)\//.test(path));
  for (const path of [...files, ...packages]) {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    cpSync(join(repository, path), join(to, path), { recursive: true, dereference: true });
  }
}

function digest(path: string): string {
  return new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");
}

test("two builds of one tree, in folders of different names, are the same bytes", () => {
  const commit = { KLEINHIRN_COMMIT: "1a2b3c4d5e" };
  const [here, there] = [join(folder, "here"), join(folder, "a-longer-name/there")];
  copyTree(there);
  const binaries = [build(repository, here, commit), build(there, join(there, "dist"), commit)];
  const scripts = binaries.map((binary) => `${binary}.js`);
  expect(new Set(binaries.map(digest)).size).toBe(1);
  expect(new Set(scripts.map(digest)).size).toBe(1);

  for (const command of [[binaries[1] ?? ""], [process.execPath, scripts[1] ?? ""]]) {
    const { stdout } = Bun.spawnSync([...command, "--version"]);
    expect(stdout.toString()).toBe(`kleinhirn ${manifest.version} (1a2b3c4d5e)\n`);
  }
  // What a stack trace names are files of the tree, not where the tree was.
  for (const path of [here, there]) expect(readFileSync(binaries[1] ?? "").includes(path)).toBe(false);
});

test("every file of the gem is in its program, and Ruby can read it", () => {
  const program = composeGemProgram();
  for (const path of listRepositoryFiles().filter((file) => /^ruby\/(lib|exe)\//.test(file))) {
    expect(program).toContain(`  "${path.slice("ruby/".length)}" => <<'`);
  }
  const { stdout, stderr } = Bun.spawnSync(["ruby", "--disable-gems", "-wc", "-"], {
    stdin: Buffer.from(program),
  });
  expect([stdout.toString(), stderr.toString()]).toEqual(["Syntax OK\n", ""]);
});

test("the gem's files require one another from the program, and all else from Ruby", () => {
  const source = 'require "json"\nrequire "kleinhirn_loader/ack"\n  require "kleinhirn_loader"\n';
  expect(rewireRequires("lib/x.rb", source)).toBe(
    'require "json"\nKleinhirnLoader::EmbeddedGem.require "kleinhirn_loader/ack"\n' +
      '  KleinhirnLoader::EmbeddedGem.require "kleinhirn_loader"\n',
  );
});

test.each([
  'require_relative "ack"',
  "require 'kleinhirn_loader/ack'",
  'x && require("kleinhirn_loader/ack")',
  '  autoload :Ack, "kleinhirn_loader/ack"',
  'FILES = Dir["#{__dir__}/*"]',
])("a file that looks for another in its folder can't be built in: %s", (line) => {
  expect(() => rewireRequires("lib/x.rb", `${line}\n`)).toThrow("ruby/lib/x.rb: ");
});
