/** The heart of script/build: the whole program as one file, compiled with Bun and as a script for Bun. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { commitOf } from "./commit.ts";
import { composeGemProgram } from "./gem-program.ts";
import { repositoryRoot } from "./repository-files.ts";
import { findRuntime, isTarget, ownTarget, type Target, targets, verifiedRuntime } from "./runtimes.ts";

const usage = `script/build [--target TARGET]… [--all] [--output FOLDER]
Builds dist/kleinhirn, for this machine, and dist/kleinhirn.js, for Bun. With --target or --all: dist/kleinhirn-TARGET.
TARGET is one of ${targets.join(", ")}.`;

const flags = {
  target: { type: "string", multiple: true, default: [] as string[] },
  all: { type: "boolean", default: false },
  output: { type: "string", default: join(repositoryRoot, "dist") },
  help: { type: "boolean", short: "h", default: false },
} as const;

type BuildOptions = Omit<Extract<Bun.BuildConfig, { splitting?: boolean }>, "compile">;

/** What the built program is told about itself: see src/build.ts. */
function defineBuild(): Record<string, string> {
  const commit = commitOf(repositoryRoot);
  return {
    KLEINHIRN_GEM: JSON.stringify(composeGemProgram()),
    ...(commit === undefined ? {} : { KLEINHIRN_COMMIT: JSON.stringify(commit) }),
  };
}

function commonOptions(): BuildOptions {
  return {
    entrypoints: [join(repositoryRoot, "kleinhirn.ts")],
    // Paths in the output begin here, so that they don't tell where the tree was.
    root: repositoryRoot,
    target: "bun",
    format: "esm",
    // Names stay: they are what a stack trace in the log is made of.
    minify: { whitespace: true, syntax: true, identifiers: false },
    define: defineBuild(),
    // Nothing of the environment of the build gets in.
    env: "disable",
  };
}

async function buildScript(folder: string): Promise<string> {
  const file = join(folder, "kleinhirn.js");
  const { outputs } = await Bun.build(commonOptions());
  const [script, ...others] = outputs;
  if (script === undefined || others.length > 0) throw new Error(`expected one file, not ${outputs.length}`);
  await Bun.write(file, script);
  chmodSync(file, 0o755);
  return file;
}

/** Code comes from the binary alone: not from a folder's `.env` or `bunfig.toml`, not from a file that a variable names. */
const standalone = {
  autoloadDotenv: false,
  autoloadBunfig: false,
  autoloadPackageJson: false,
  autoloadTsconfig: false,
  execArgv: ["--disallow-code-generation-from-strings=strict"],
};

/** With bytecode nothing has to be parsed at the start, and what only one command needs is not even read. */
async function compile(folder: string, name: string, target: Target, runtime: string): Promise<string> {
  const file = join(folder, name);
  // Not in place: who runs the last build keeps it, and the source maps, which Bun also writes beside, go.
  const fresh = mkdtempSync(join(folder, ".build-"));
  try {
    const outfile = join(fresh, "kleinhirn");
    await Bun.build({
      ...commonOptions(),
      splitting: true,
      bytecode: true,
      sourcemap: "inline",
      compile: { ...standalone, target: `bun-${target}`, executablePath: runtime, outfile },
    });
    renameSync(outfile, file);
  } finally {
    rmSync(fresh, { recursive: true });
  }
  return file;
}

function chosenTargets(names: readonly string[], all: boolean): readonly Target[] {
  const unknown = names.find((name) => !isTarget(name));
  if (unknown !== undefined) throw new Error(`--target must be one of ${targets.join(", ")}, not ${unknown}`);
  return all ? targets : targets.filter((target) => names.includes(target));
}

/** Whatever Bun that is: a distribution may have changed it to fit. Only the published one makes the same bytes again. */
function ownRuntime(): string {
  const target = ownTarget();
  if (findRuntime(target) !== process.execPath) {
    console.error(
      `build: ${process.execPath} is not the Bun that is published for ${target}; it is built in all the same`,
    );
  }
  return process.execPath;
}

function describeFile(path: string): string {
  const bytes = readFileSync(path);
  const megabytes = (bytes.length / 1e6).toFixed(1);
  return `${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}  ${path} (${megabytes} MB)`;
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: flags, strict: true });
  if (values.help) return console.log(usage);
  const chosen = chosenTargets(values.target, values.all);
  const folder = resolve(values.output);
  // Source maps name files relative to where Bun was started: a name that the place of the tree has no part in.
  process.chdir(repositoryRoot);
  mkdirSync(folder, { recursive: true });
  const files =
    chosen.length === 0
      ? [await compile(folder, "kleinhirn", ownTarget(), ownRuntime()), await buildScript(folder)]
      : [];
  for (const target of chosen)
    files.push(await compile(folder, `kleinhirn-${target}`, target, verifiedRuntime(target)));
  for (const file of files) console.log(describeFile(file));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`build: ${error instanceof Error ? error.message : String(error)}`);
  if (error instanceof AggregateError) for (const each of error.errors) console.error(`  ${String(each)}`);
  process.exitCode = 1;
}
