import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ReadCounts,
  readBunCounts,
  readCheckCounts,
  readMinitestCounts,
  readSkippableCounts,
} from "./counts.ts";
import { listRepositoryFiles, repositoryRoot } from "./repository-files.ts";

/** One program that checks something. Paths in `command` are relative to `folder`, which is relative to the root. */
export type Runner = {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly readCounts: ReadCounts;
};

/** In the order in which they run: what is quick to fail comes first. */
export function listRunners(): Runner[] {
  const files = listRepositoryFiles();
  return [
    // Started by Bun, because their own first line asks for Node, which need not be there.
    check("biome", [process.execPath, "node_modules/.bin/biome", "check", "--error-on-warnings", "."]),
    check("tsc", [process.execPath, "node_modules/.bin/tsc", "-p", "."]),
    check("shellcheck", ["shellcheck", "-x", "-a", ...listShellScripts(files)]),
    ...rubocop("ruby", files),
    ...rubocop("examples/shop", files),
    ...bunTests("unit tests", isUnitTest, files),
    ...minitest("gem tests", "ruby", [], files),
    ...gemMatrix(),
    ...minitest("shop tests", "examples/shop", ["-rbundler/setup"], files),
    ...bunTests("integration tests", (path) => path.startsWith("test/integration/"), files),
    ...bunTests("chaos", (path) => path.startsWith("test/chaos/"), files),
    ...bunTests("faults", (path) => path.startsWith("test/faults/"), files),
    ...bunTests("fuzz", (path) => path.startsWith("test/fuzz/"), files),
    ...bunTests("containers", (path) => path.startsWith("test/container/"), files),
    ...bunTests("packaging tests", (path) => path.startsWith("test/packaging/"), files),
    check("demo smoke", [process.execPath, "script/lib/demo-smoke.ts"]),
    ...listBinaryRunners(files).filter(({ name }) => isDeep || name !== integrationOfBinary),
  ];
}

/** `script/test --binary`: what shows that the built program does what the tree does. */
export function listBinaryRunners(files: readonly string[] = listRepositoryFiles()): Runner[] {
  const own = bunTests("tests of the binary", (path) => path.startsWith("test/binary/"), files);
  const integration = bunTests(integrationOfBinary, (path) => path.startsWith("test/integration/"), files);
  const smoke = check("demo smoke of the binary", [process.execPath, "script/lib/demo-smoke.ts"]);
  const environment = { KLEINHIRN_PROGRAM: join(repositoryRoot, "dist/kleinhirn") };
  return [
    check("build", ["script/build"]),
    ...[...own, smoke, ...integration].map((runner) => ({ ...runner, environment })),
  ];
}

const isDeep = process.env.KLEINHIRN_DEEP === "1";
const integrationOfBinary = "integration tests of the binary";

function isUnitTest(path: string): boolean {
  return !/^test\/(integration|binary|faults|fuzz|container|packaging|chaos)\//.test(path);
}

function check(name: string, command: Runner["command"]): Runner {
  return { name, command, folder: "", environment: {}, readCounts: readCheckCounts };
}

/** The parts in script/lib are checked through the scripts that source them: alone they know no variable. */
function listShellScripts(files: readonly string[]): string[] {
  return files.filter((path) => {
    if (path.startsWith("script/lib/")) return false;
    const start = readFileSync(join(repositoryRoot, path), "latin1").slice(0, 64);
    return /^#!.*[/ ](ba|da)?sh\b/.test(start);
  });
}

function bunTests(name: string, belongs: (path: string) => boolean, files: readonly string[]): Runner[] {
  const found = files.filter((path) => /^test\/.*\.test\.ts$/.test(path) && belongs(path));
  if (found.length === 0) return [];
  // The leading ./ makes them files; without it they would be words to look for in the names of all tests.
  const command = [process.execPath, "test", ...found.map((path) => `./${path}`)] as const;
  return [{ name, command, folder: "", environment: {}, readCounts: readBunCounts }];
}

function rubocop(folder: string, files: readonly string[]): Runner[] {
  if (!files.some((path) => path.startsWith(`${folder}/`) && path.endsWith(".rb"))) return [];
  const environment = { BUNDLE_GEMFILE: join(repositoryRoot, ".tools/rubocop/Gemfile") };
  const command = ["bundle", "exec", "rubocop", "--no-color"] as const;
  return [{ name: `rubocop ${folder}`, command, folder, environment, readCounts: readCheckCounts }];
}

/** The gem on Debian's other Rubies; they are installed by the first run, which takes minutes. */
function gemMatrix(): Runner[] {
  if (!isDeep) return [];
  return ["bullseye", "trixie", "newest"].map((release) => ({
    name: `gem tests ${release}`,
    command: ["script/gem-matrix", release],
    folder: "",
    environment: {},
    readCounts: readSkippableCounts(readMinitestCounts),
  }));
}

/** From the root, as the common way to run them is. Without `flags` there is no Bundler: the gem needs none. */
function minitest(
  name: string,
  folder: string,
  flags: readonly string[],
  files: readonly string[],
): Runner[] {
  const found = files.filter((path) => path.startsWith(`${folder}/test/`) && path.endsWith("_test.rb"));
  if (found.length === 0) return [];
  const gemfile = join(repositoryRoot, folder, "Gemfile");
  const withBundler = flags.length > 0 && existsSync(gemfile);
  return [
    {
      name,
      command: [
        "ruby",
        ...flags,
        `-I${folder}/lib`,
        `-I${folder}/test`,
        "-e",
        "ARGV.each { |file| require File.expand_path(file) }.clear",
        ...found,
      ],
      folder: "",
      environment: withBundler ? { BUNDLE_GEMFILE: gemfile } : {},
      readCounts: readMinitestCounts,
    },
  ];
}
