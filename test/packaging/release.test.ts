/** script/release: what it refuses, what it builds, and that it publishes nothing. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import manifest from "../../package.json";
import { writeBill } from "../../script/lib/release/bill-of-materials.ts";
import { type Facts, findObstacles } from "../../script/lib/release/checks.ts";
import { listRepositoryFiles, repositoryRoot } from "../../script/lib/repository-files.ts";
import { isDeep } from "../helpers/deep.ts";

setDefaultTimeout(300_000);

const { version } = manifest;

const good: Facts = {
  version: "1.2.3",
  gemVersion: "1.2.3",
  changelog:
    "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-02-28\n\n### Added\n\n- Much.\n\n## [1.2.2] - 2026-01-01\n\n- Old.\n",
  tags: ["v1.2.2", "v0.9.10", "not-a-version"],
  tagsHere: [],
  changedFiles: [],
};

describe("a release is refused", () => {
  test("not when everything agrees, tagged or not, with and without a section [Unreleased]", () => {
    expect(findObstacles(good)).toEqual([]);
    expect(findObstacles({ ...good, tags: [...good.tags, "v1.2.3"], tagsHere: ["v1.2.3"] })).toEqual([]);
    expect(findObstacles({ ...good, changelog: good.changelog.replace("## [Unreleased]\n", "") })).toEqual(
      [],
    );
  });

  const changelog = (from: string, to: string) => ({ changelog: good.changelog.replace(from, to) });

  test.each<[string, Partial<Facts>, RegExp]>([
    [
      "a file that is not committed",
      { changedFiles: ["src/x.ts"] },
      /^1 files are not committed \(src\/x\.ts\): commit/,
    ],
    [
      "a version that is none",
      { version: "1.2", gemVersion: "1.2" },
      /package\.json is 1\.2; it has to be MAJOR\.MINOR\.PATCH/,
    ],
    [
      "a gem of another version",
      { gemVersion: "1.2.2" },
      /says 1\.2\.3, ruby\/lib.*version\.rb says 1\.2\.2/,
    ],
    ["no section", changelog("[1.2.3]", "[1.2.4]"), /no section for 1\.2\.3: rename \[Unreleased\]/],
    ["no date", changelog(" - 2026-02-28", ""), /\[1\.2\.3\] needs its date/],
    ["a day that there is not", changelog("02-28", "02-30"), /\[1\.2\.3\] needs its date/],
    ["an empty section", changelog("### Added\n\n- Much.\n", ""), /\[1\.2\.3\] is empty/],
    ["what is unreleased", changelog("[Unreleased]\n", "[Unreleased]\n\n- More.\n"), /under \[Unreleased\]/],
    ["its tag on another commit", { tags: ["v1.2.3"] }, /the tag v1\.2\.3 is on another commit/],
    ["a newer tag", { tags: ["v1.10.0"] }, /^v1\.10\.0 is newer than 1\.2\.3/],
  ])("for %s", (_, difference, message) => {
    const obstacles = findObstacles({ ...good, ...difference });
    expect(obstacles.filter((obstacle) => message.test(obstacle))).toHaveLength(1);
  });

  test("for all reasons at once, so that one run is enough", () => {
    const bad = { ...good, gemVersion: "0", changelog: "", changedFiles: ["x"], tags: ["v9.0.0"] };
    expect(findObstacles(bad)).toHaveLength(4);
  });
});

describe("the bill of materials", () => {
  test("is valid, and names all that is in the artefacts, with hashes and licences", async () => {
    const bill = JSON.parse(await writeBill(new Date(0)));
    expect(bill.metadata.component).toMatchObject({
      name: "kleinhirn",
      version,
      purl: `pkg:npm/kleinhirn@${version}`,
    });
    const components: { name: string; licenses: unknown[]; hashes?: { content: string }[] }[] =
      bill.components;
    expect(components.map(({ name }) => name).toSorted()).toEqual(
      [...Object.keys(manifest.dependencies), "bun", "kleinhirn_loader"].toSorted(),
    );
    for (const { licenses } of components) expect(licenses).toHaveLength(1);
    const hashed = components.filter(({ hashes }) => /^[0-9a-f]{128}$/.test(hashes?.[0]?.content ?? ""));
    expect(hashed.map(({ name }) => name).toSorted()).toEqual(Object.keys(manifest.dependencies).toSorted());
  });

  test("is the same for the same commit", async () => {
    expect(await writeBill(new Date(1))).toBe(await writeBill(new Date(1)));
  });
});

/** This tree as a repository of one commit, in which a release may be made. */
const folder = mkdtempSync(join(tmpdir(), "kleinhirn-release-"));
const tree = join(folder, "tree");
const output = join(folder, "release");
const target = `linux-${process.arch}`;

function run(cwd: string, ...command: readonly string[]): { status: number; said: string } {
  const identity = {
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_AUTHOR_NAME: "A",
    GIT_AUTHOR_EMAIL: "a@example.org",
  };
  const committer = { GIT_COMMITTER_NAME: "A", GIT_COMMITTER_EMAIL: "a@example.org" };
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    cwd,
    env: { ...process.env, ...identity, ...committer },
    stdin: "ignore",
  });
  return { status: exitCode, said: `${stdout}${stderr}` };
}

function commit(message: string): void {
  for (const args of [
    ["add", "--all"],
    ["commit", "--quiet", "--message", message],
  ]) {
    expect(run(tree, "git", ...args)).toMatchObject({ status: 0 });
  }
}

beforeAll(() => {
  for (const path of listRepositoryFiles()) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    cpSync(join(repositoryRoot, path), join(tree, path));
  }
  symlinkSync(join(repositoryRoot, "node_modules"), join(tree, "node_modules"));
  writeFileSync(join(tree, ".gitignore"), "/node_modules\n/.tools/\n", { flag: "a" });
  run(tree, "git", "init", "--quiet");
  writeFileSync(join(tree, "CHANGELOG.md"), "# Changelog\n\n## [Unreleased]\n\n- Something.\n");
  commit("Not yet released");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("in a repository", () => {
  test("what can't be released is not built", () => {
    const { status, said } = run(tree, "script/release", "--output", output);
    expect([status, said]).toEqual([
      1,
      expect.stringContaining(`CHANGELOG.md has no section for ${version}`),
    ]);
    expect(readdirSync(folder)).toEqual(["tree"]);
  });

  test("what can is built, with checksums, and nothing is published or tagged", () => {
    writeFileSync(
      join(tree, "CHANGELOG.md"),
      `# Changelog\n\n## [${version}] - 2026-01-02\n\n- Something.\n`,
    );
    commit("Release");
    const { status, said } = run(tree, "script/release", "--target", target, "--output", output);
    expect([status, said]).toEqual([0, expect.stringContaining("nothing is published")]);
    expect(readdirSync(output).toSorted()).toEqual(
      [
        "SHA256SUMS",
        "kleinhirn.js",
        `kleinhirn-${target}`,
        `kleinhirn-${version}-source.tar.gz`,
        `kleinhirn-${version}.cdx.json`,
        `kleinhirn-${version}.tgz`,
        `kleinhirn_loader-${version}.gem`,
      ].toSorted(),
    );
    expect(run(output, "sha256sum", "--strict", "--check", "SHA256SUMS")).toMatchObject({ status: 0 });
    expect(readFileSync(join(output, "SHA256SUMS"), "utf8").trim().split("\n")).toHaveLength(6);
    expect(run(tree, "git", "tag", "--list")).toEqual({ status: 0, said: "" });
  });

  test("the artefacts are what they are called", () => {
    const head = run(tree, "git", "rev-parse", "--short=10", "HEAD").said.trim();
    for (const program of [
      [join(output, `kleinhirn-${target}`)],
      [process.execPath, join(output, "kleinhirn.js")],
    ]) {
      const { status, said } = run(folder, ...program, "--version");
      expect([status, said]).toEqual([0, expect.stringContaining(version)]);
      expect(said).toContain(head);
      expect(said).not.toContain("+");
    }
    const listed = (file: string) => run(output, "tar", "-tzf", file).said.split("\n");
    expect(listed(`kleinhirn-${version}-source.tar.gz`)).toContain(`kleinhirn-${version}/kleinhirn.ts`);
    expect(listed(`kleinhirn-${version}.tgz`)).toContain("package/kleinhirn.ts");
    expect(run(output, "gem", "specification", `kleinhirn_loader-${version}.gem`, "version").said).toContain(
      version,
    );
    expect(JSON.parse(readFileSync(join(output, `kleinhirn-${version}.cdx.json`), "utf8")).bomFormat).toBe(
      "CycloneDX",
    );
  });

  test.skipIf(!isDeep)("a second time gives the same bytes", () => {
    const sums = readFileSync(join(output, "SHA256SUMS"), "utf8");
    expect(run(tree, "script/release", "--target", target, "--output", output)).toMatchObject({ status: 0 });
    expect(readFileSync(join(output, "SHA256SUMS"), "utf8")).toBe(sums);
  });
});
