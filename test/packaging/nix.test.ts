/**
 * The flake, with a small stand-in for nixpkgs: what that proves, and what it doesn't, is in docs/NIX.md. The builds ask the
 * registries for the program's dependencies.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import manifest from "../../package.json";
import { isDeep } from "../helpers/deep.ts";
import { freePort } from "../helpers/ports.ts";
import { Running, repository } from "../helpers/running.ts";
import { Flake } from "./flake.ts";

setDefaultTimeout(600_000);

const systems = ["aarch64-linux", "x86_64-linux"];
let flake: Flake;

beforeAll(() => {
  flake = new Flake();
});

afterAll(() => flake[Symbol.dispose]());

type ImageConfig = Readonly<Record<string, unknown>> & {
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
};

/** Reason for the cast: what is missing in the configuration fails the expectations. */
function imageConfig(name: string): ImageConfig {
  return flake.evaluate(`packages.${flake.currentSystem}.${name}.arguments.config`) as ImageConfig;
}

const user = { User: "65532:65532", StopSignal: "SIGTERM", Entrypoint: ["/bin/kleinhirn"] };

describe("evaluated", () => {
  test("Nix finds nothing wrong with the flake", () => {
    const { exitCode, stderr } = flake.try(["flake", "check", "--no-build", "--offline"]);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining("evaluating flake")]);
  });

  test.each([
    ["packages", ["container", "default", "ruby-example"]],
    ["devShells", ["default"]],
    ["checks", ["gem", "package", "smoke"]],
  ])("every one of the %s is a derivation, for every system", (kind, names) => {
    const derivations = "builtins.mapAttrs (_: builtins.mapAttrs (_: it: it.drvPath))";
    const found = flake.evaluate(kind, derivations) as Record<string, Record<string, string>>;
    expect(Object.keys(found)).toEqual(systems);
    for (const [system, outputs] of Object.entries(found)) {
      expect(Object.keys(outputs)).toEqual(names);
      for (const path of Object.values(outputs)) expect(path).toEndWith(".drv");
      expect(system).toBeOneOf(systems);
    }
  });

  test("the application is the binary, and an overlay brings it into other people's nixpkgs", () => {
    const programs = flake.evaluate("apps", "builtins.mapAttrs (_: apps: apps.default.program)");
    expect(programs).toEqual(
      Object.fromEntries(
        systems.map((system) => [system, expect.stringMatching(/-kleinhirn-[\d.]+\/bin\/kleinhirn$/)]),
      ),
    );
    const overlaid = "overlay: builtins.attrNames (overlay { callPackage = _: _: null; } { })";
    expect(flake.evaluate("overlays.default", overlaid)).toEqual(["kleinhirn"]);
  });

  test("the container has kleinhirn as its entry point, an unprivileged user, TERM to stop, no shell", () => {
    expect(imageConfig("container")).toEqual({ ...user, Env: ["PATH=/bin"] });
    const contents = "map (it: it.name)";
    expect(flake.evaluate(`packages.${flake.currentSystem}.container.arguments.contents`, contents)).toEqual([
      `kleinhirn-${manifest.version}`,
    ]);
  });

  test("the Ruby example has the same, and Ruby and its gems where kleinhirn looks for them", () => {
    const { Cmd, Env, ExposedPorts, ...rest } = imageConfig("ruby-example");
    expect(rest).toEqual(user);
    expect(Cmd).toEqual(["run", "--config-file", expect.stringMatching(/-kleinhirn-shop\/kleinhirn\.toml$/)]);
    expect(Env).toContainEqual(expect.stringMatching(/^PATH=.*-ruby-[^/]+\/bin:\/bin$/));
    expect(Env).toContainEqual(expect.stringMatching(/^GEM_PATH=.*-kleinhirn-shop-bundle$/));
    expect(ExposedPorts).toEqual({ "3000/tcp": {}, "8080/tcp": {} });
  });

  test("the development shell has a counterpart for every Debian package that script/setup installs", () => {
    const script = readFileSync(join(repository, "script/lib/debian.sh"), "utf8");
    // `need CONDITION PACKAGE…`, where the condition is a word or stands in quotes.
    const needed = [...script.matchAll(/^ *need (?:'[^']*'|\S+) (.+)$/gm)].flatMap(([, names = ""]) =>
      names.split(" "),
    );
    expect(needed.length).toBeGreaterThan(10);
    const names = "builtins.attrNames";
    const shell = flake.evaluate(`devShells.${flake.currentSystem}.default.byDebianName`, names);
    expect(shell).toContainEqual("ruby");
    expect(needed.filter((name) => !(shell as string[]).includes(name))).toEqual([]);
  });

  test("a nixpkgs with too old a Bun is told so", () => {
    using old = new Flake({ bunVersion: "1.3.14" });
    const { exitCode, stderr } = old.try(["eval", "--offline"], "packages.x86_64-linux.default.drvPath");
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("kleinhirn needs Bun 1.4.0 or later, and this nixpkgs has 1.3.14");
  });
});

describe("built", () => {
  test("the package is a binary that knows its version, and has the dependencies that their hash stands for", () => {
    const path = flake.build("default");
    const { exitCode, stdout } = Bun.spawnSync([`${path}/bin/kleinhirn`, "--version"], { stdin: "ignore" });
    expect([exitCode, stdout.toString()]).toEqual([0, expect.stringContaining(manifest.version)]);
    // What strip leaves behind is Bun, of nearly the same size.
    expect(statSync(`${path}/bin/kleinhirn`).size).toBeGreaterThan(statSync(process.execPath).size);
    expect(readFileSync(`${path}/share/licenses/kleinhirn/LICENSE`, "utf8")).toStartWith("MIT License");
  });

  test("the binary passes the smoke check, in Nix's own builder and on the machine", () => {
    flake.build(`checks.${flake.currentSystem}.smoke`);
    const folder = mkdtempSync(join(tmpdir(), "kleinhirn-nix-smoke-"));
    try {
      const { exitCode, stdout } = Bun.spawnSync(
        ["bash", join(repository, "nix/smoke.sh"), `${flake.build("default")}/bin/kleinhirn`],
        { cwd: folder, stdin: "ignore" },
      );
      expect([exitCode, stdout.toString()]).toEqual([
        0,
        expect.stringContaining("smoke: running, 2 of 2 ready"),
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** The text of every file, by its path in the folder. */
function readFolder(folder: string): Record<string, string> {
  const paths = [...new Bun.Glob("**").scanSync({ cwd: folder })];
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}

describe.skipIf(!isDeep)("built, what takes minutes", () => {
  test("the Ruby example serves its page from its own gems", async () => {
    flake.build("ruby-example");
    const { Cmd = [], Env = [] } = imageConfig("ruby-example");
    const env = Object.fromEntries(Env.map((line) => line.split(/=(.*)/s, 2)));
    const web = freePort();
    // Ports in the store's copy are fixed, and its folder can't be written: the same application elsewhere, with others.
    const { "kleinhirn.toml": toml = "", ...files } = readFolder(dirname(Cmd[2] ?? ""));
    const local = toml.replace("0.0.0.0:3000", "127.0.0.1:0");
    await using s = new Running(`${local}\n[log]\nformat = "json"\n`, {
      files,
      env: { ...env, SHOP_DATABASE: undefined, HOST: "127.0.0.1", PORT: String(web) },
      program: (file) => [`${flake.build("default")}/bin/kleinhirn`, "run", "-f", file],
    });
    await s.waitFor("worker set running", 2);
    expect(await (await fetch(`http://127.0.0.1:${web}/`)).text()).toContain("web.0");
    expect(await s.stop()).toBe(0);
  });

  test("the gem's tests pass in Nix's builder", () => {
    flake.build(`checks.${flake.currentSystem}.gem`);
  });
});
