/** The heart of script/release: checks that this commit can be released, and builds everything that would be published. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import manifest from "../../../package.json";
import { repositoryRoot } from "../repository-files.ts";
import { writeBill } from "./bill-of-materials.ts";
import { type Facts, findObstacles, tagOf } from "./checks.ts";

const usage = `script/release [--snapshot] [--target TARGET]… [--output FOLDER]
Checks version, change log and tags of this commit, and builds all that would be published into dist/release, with
checksums and a bill of materials. Publishes nothing.
--snapshot says what stands in the way of a release and builds all the same. --target: this binary instead of all of them.`;

const flags = {
  snapshot: { type: "boolean", default: false },
  target: { type: "string", multiple: true, default: [] as string[] },
  output: { type: "string", default: join(repositoryRoot, "dist", "release") },
  help: { type: "boolean", short: "h", default: false },
} as const;

type Place = { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> };

/** @returns standard output without the newline at its end; @throws Error with all that was said */
function run(command: readonly string[], { cwd = repositoryRoot, env = {} }: Place = {}): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    cwd,
    env: { ...process.env, ...env },
    stdin: "ignore",
  });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: status ${exitCode}\n${stdout}${stderr}`);
  return stdout.toString().trimEnd();
}

function git(...args: readonly string[]): string {
  return run(["git", ...args]);
}

function lines(text: string): readonly string[] {
  return text === "" ? [] : text.split("\n");
}

function gatherFacts(): Facts {
  const constants = readFileSync(join(repositoryRoot, "ruby/lib/kleinhirn_loader/version.rb"), "utf8");
  return {
    version: manifest.version,
    gemVersion: /VERSION = "([^"]*)"/.exec(constants)?.[1] ?? "nothing",
    changelog: readFileSync(join(repositoryRoot, "CHANGELOG.md"), "utf8"),
    tags: lines(git("tag", "--list")),
    tagsHere: lines(git("tag", "--points-at", "HEAD")),
    changedFiles: lines(git("status", "--porcelain")).map((line) => line.slice(3)),
  };
}

/** Everything into an empty folder; a file of an earlier release would get a checksum as one of this one's. */
async function build(folder: string, targets: readonly string[]): Promise<void> {
  const { version } = manifest;
  const epoch = git("show", "--no-patch", "--format=%ct", "HEAD");
  say("binaries");
  const chosen = targets.length === 0 ? ["--all"] : targets.flatMap((target) => ["--target", target]);
  run(["script/build", ...chosen, "--output", folder]);
  say("dist/kleinhirn.js");
  buildScript(folder);
  say("the gem");
  // RubyGems takes the time that is written into the package from here; else two builds would differ.
  const gem = join(folder, `kleinhirn_loader-${version}.gem`);
  run(["gem", "build", "kleinhirn_loader.gemspec", "--output", gem], {
    cwd: join(repositoryRoot, "ruby"),
    env: { SOURCE_DATE_EPOCH: epoch },
  });
  say("the npm package");
  run([process.execPath, "pm", "pack", "--destination", folder]);
  say("the source");
  const prefix = `kleinhirn-${version}`;
  git(
    "archive",
    "--format=tar.gz",
    `--prefix=${prefix}/`,
    "--output",
    join(folder, `${prefix}-source.tar.gz`),
    "HEAD",
  );
  say("the bill of materials");
  writeFileSync(join(folder, `${prefix}.cdx.json`), await writeBill(new Date(Number(epoch) * 1000)));
  writeFileSync(join(folder, "SHA256SUMS"), sumFiles(folder));
}

/** script/build makes this machine's binary along with it, which is here already by another name, or not wanted. */
function buildScript(folder: string): void {
  const fresh = mkdtempSync(join(folder, ".script-"));
  run(["script/build", "--output", fresh]);
  renameSync(join(fresh, "kleinhirn.js"), join(folder, "kleinhirn.js"));
  rmSync(fresh, { recursive: true });
}

/** As sha256sum(1) writes it, and `sha256sum --check` reads it. */
function sumFiles(folder: string): string {
  return readdirSync(folder)
    .toSorted()
    .map((name) => {
      const sum = new Bun.CryptoHasher("sha256").update(readFileSync(join(folder, name))).digest("hex");
      return `${sum}  ${name}\n`;
    })
    .join("");
}

function say(what: string): void {
  console.log(`release: building ${what}`);
}

function describeNextSteps(folder: string): string {
  const { version } = manifest;
  const tag = tagOf(version);
  return `
${version} is built in ${folder}, and nothing is published. What is left is for a person to do:

  (cd ${folder} && sha256sum --check SHA256SUMS)
  git tag --annotate ${tag} --message "kleinhirn ${version}" && git push origin ${tag}
  gem push ${folder}/kleinhirn_loader-${version}.gem
  npm publish ${folder}/kleinhirn-${version}.tgz
  The binaries, SHA256SUMS and kleinhirn-${version}.cdx.json go to the page of the release, with the section of CHANGELOG.md.`;
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: flags, strict: true });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const obstacles = findObstacles(gatherFacts());
  for (const obstacle of obstacles) console.error(`release: ${obstacle}`);
  if (obstacles.length > 0 && !values.snapshot) return 1;
  // All that is called from here runs in the root.
  const folder = resolve(values.output);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await build(folder, values.target);
  console.log(readFileSync(join(folder, "SHA256SUMS"), "utf8").trimEnd());
  console.log(values.snapshot ? `a snapshot is built in ${folder}` : describeNextSteps(folder));
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`release: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
