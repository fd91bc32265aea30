/** Holds what the linters can't: lengths, arrows beyond imports, links, and what must never get into the repository. */
import { describe, expect, test } from "bun:test";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { listRepositoryFiles, repositoryRoot } from "../script/lib/repository-files.ts";

const files = listRepositoryFiles().filter((path) => !path.endsWith(".png"));
const contents = new Map(files.map((path) => [path, readFileSync(join(repositoryRoot, path), "utf8")]));

/** Everything that `find` finds, as `path:line: text`, so that a failure says where to look. */
function listHits(belongs: (path: string) => boolean, find: (line: string) => boolean): string[] {
  return [...contents].flatMap(([path, text]) =>
    belongs(path)
      ? text
          .split("\n")
          .flatMap((line, index) => (find(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []))
      : [],
  );
}

/** Without comments: they may well name what the code must not use. */
function findCode(pattern: RegExp) {
  return (line: string) => pattern.test(line.replace(/^\s*(\/\/|\/?\*).*|\s\/\/ .*/, ""));
}

function under(...folders: string[]) {
  return (path: string) => folders.some((folder) => path.startsWith(`${folder}/`));
}

describe("lengths", () => {
  const limits: [number, RegExp][] = [
    [300, /^(src|script|bench|kleinhirn\.ts|ruby\/(lib|exe)|examples\/.*\/lib)\b.*\.(ts|rb|sh)$/],
    [500, /^(test|ruby\/test|examples\/.*\/test)\/.*\.(ts|rb)$/],
  ];

  test.each(limits)("no file of more than %d lines", (limit, pattern) => {
    const long = [...contents]
      .filter(([path]) => pattern.test(path))
      .map(([path, text]) => [path, lines(text)]);
    expect(long.filter(([, length]) => Number(length) > limit)).toEqual([]);
  });

  function lines(text: string): number {
    return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  }
});

describe("arrows", () => {
  const inSource = (path: string) => under("src")(path) || path === "kleinhirn.ts";

  test("processes are started by src/system/child.ts alone", () => {
    const elsewhere = (path: string) => inSource(path) && path !== "src/system/child.ts";
    expect(
      listHits(elsewhere, findCode(/[{,] ?(spawn(Sync)?|\$)[ ,].*\bfrom "bun"|\bBun\.(spawn|\$)/)),
    ).toEqual([]);
  });

  test("the C library is opened by src/system/libc.ts alone, by whatever import", () => {
    const elsewhere = (path: string) => inSource(path) && path !== "src/system/libc.ts";
    expect(listHits(elsewhere, findCode(/bun:ffi/))).toEqual([]);
  });

  test("only the command line ends the process", () => {
    const elsewhere = (path: string) => inSource(path) && !under("src/cli")(path);
    expect(listHits(elsewhere, findCode(/\bprocess\.(reallyExit|exit|abort)\b|from "node:process"/))).toEqual(
      [],
    );
  });

  test("the core has no randomness and no back door to the world", () => {
    const world = /\bMath\.random\b|\bglobalThis\b|\bimport\.meta\b|\bimport\(|\brequire\(/;
    expect(listHits(under("src/core"), findCode(world))).toEqual([]);
  });

  test("the type checker is never told to look away, the linter only with a reason", () => {
    const anywhere = (path: string) => path.endsWith(".ts");
    expect(
      listHits(anywhere, (line) => /@ts-(ignore|nocheck)\b/.test(line) && !line.includes("test(")),
    ).toEqual([]);
    expect(listHits(anywhere, (line) => /\bbiome-ignore(?!-end)[\w/ -]*(:\s*)?$/.test(line))).toEqual([]);
  });

  test("nothing is left for later in the code", () => {
    const code = under("src", "ruby", "script", "examples", "test");
    expect(listHits(code, (line) => /\b(TODO|FIXME|XXX)\b/.test(line) && !line.includes("(TODO|"))).toEqual(
      [],
    );
  });
});

describe("what must not get in", () => {
  /** Hosts that stand for themselves: this machine, examples, and what documentation refers to. */
  const knownHosts =
    /^(127\.0\.0\.\d+|0\.0\.0\.0|localhost|any|\[(::1?|\$\{\w+\})\]||host|HOST|([\w-]+\.)*example(\.(com|org|net))?|keepachangelog\.com|toml\.io|semver\.org|json-schema\.org|github\.com)$/;

  test("every address names a host that is known here (a package registry's never is)", () => {
    const hosts = [...contents].flatMap(([path, text]) =>
      [...text.matchAll(/\bhttps?:\/\/(\[[^\]\s]*\]|[^\s/:"'`<>)|\\$]*)/g)].map(
        (found) => [path, found[1] ?? ""] as const,
      ),
    );
    expect(hosts.filter(([, host]) => !knownHosts.test(host))).toEqual([]);
  });

  test("nor do the hosts that this machine's clients are set up with appear in another way", () => {
    const hosts = listRegistryHosts();
    expect(
      listHits(
        () => true,
        (line) => hosts.some((host) => line.includes(host)),
      ),
    ).toEqual([]);
  });

  test("no path of one particular machine", () => {
    const usual = /(?<![\w.$}/])\/(work|root|Users)\/[\w.]/;
    const here = [repositoryRoot, homedir()].filter((path) => path.length > "/root".length);
    const find = (line: string) => usual.test(line) || here.some((path) => line.includes(`${path}/`));
    expect(listHits(() => true, find)).toEqual([]);
  });

  test("lock files name no host", () => {
    const isLock = (path: string) =>
      /(^|\/)(bun\.lock|Gemfile\.lock|.*\.gemfile\.lock|package-lock\.json)$/.test(path);
    expect(listHits(isLock, (line) => /:\/\/|^\s*remote: (?!\.)/.test(line))).toEqual([]);
  });
});

/** What apt, RubyGems and npm are told to ask, as far as they are installed. */
function listRegistryHosts(): string[] {
  const said = [
    ask(["ruby", "-e", "puts Gem.sources.map(&:to_s)"]),
    ask(["npm", "config", "get", "registry"]),
    ask(["sh", "-c", "cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null"]),
  ];
  return [
    ...new Set(
      said
        .join("\n")
        .matchAll(/https?:\/\/([\w.-]+)/g)
        .map((found) => found[1] ?? ""),
    ),
  ];
}

function ask(command: string[]): string {
  try {
    return Bun.spawnSync(command, { stdin: "ignore", stderr: "ignore" }).stdout.toString();
  } catch {
    return ""; // Not installed: then nothing here can be set up with its registry either.
  }
}

describe("package.json", () => {
  // Reason for the cast: the file is ours, and what is missing in it fails the tests that read it.
  const manifest = JSON.parse(contents.get("package.json") ?? "") as {
    scripts?: Record<string, string>;
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };

  test("no script is named kleinhirn: `bun run kleinhirn` would start it as a child and lose the sockets", () => {
    expect(Object.keys(manifest.scripts ?? {})).not.toContain("kleinhirn");
  });

  test("every version is exact", () => {
    const versions = Object.values({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  test("the types are those of the Bun that script/setup installs", () => {
    expect(manifest.devDependencies["bun-types"]).toBe((contents.get(".bun-version") ?? "").trim());
  });
});

describe("documents", () => {
  const documents = [...contents].filter(([path]) => path.endsWith(".md"));

  test("the change log has a section for what is coming or has just come", () => {
    expect(contents.get("CHANGELOG.md")).toMatch(/^## \[(Unreleased|\d+\.\d+\.\d+)\]/m);
  });

  test("every link within the repository leads somewhere", () => {
    const broken = documents.flatMap(([path, text]) =>
      [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]*))?\)/g)]
        .filter(([, target = "", anchor]) => !leadsSomewhere(path, target, anchor))
        .map(([link]) => `${path}: ${link}`),
    );
    expect(broken).toEqual([]);
  });

  test("every script that a document tells to run is there and can be run", () => {
    const named = documents.flatMap(([path, text]) =>
      [...text.matchAll(/(?<![\w/.])(script\/[\w-]+|\.ci\/run)(?![\w/.-]*\.\w)/g)].map((found) => [
        path,
        found[1] ?? "",
      ]),
    );
    expect(named.filter(([, script = ""]) => !isExecutable(script))).toEqual([]);
    expect(existsSync(join(repositoryRoot, "kleinhirn.ts"))).toBe(true);
  });

  function leadsSomewhere(from: string, target: string, anchor: string | undefined): boolean {
    const path = target === "" ? from : normalize(join(dirname(from), target));
    if (!existsSync(join(repositoryRoot, path))) return false;
    return anchor === undefined || listAnchors(contents.get(path) ?? "").includes(anchor);
  }

  /** The anchors of a document's headings, made as the usual Markdown viewers make them. */
  function listAnchors(text: string): string[] {
    return [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replaceAll(" ", "-"),
    );
  }

  function isExecutable(path: string): boolean {
    try {
      accessSync(join(repositoryRoot, path), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  }
});
