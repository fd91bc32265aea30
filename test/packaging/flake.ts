/** This repository's flake in a Nix store of its own, with nix/stub in the place of nixpkgs (docs/NIX.md). */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { listRepositoryFiles, repositoryRoot } from "../../script/lib/repository-files.ts";

/** Nothing from outside is used but what the fixed-output derivations download by themselves. */
const options = [
  ["--extra-experimental-features", "nix-command flakes"],
  ["--option", "sandbox", "false"],
  ["--option", "build-users-group", ""],
  ["--option", "substituters", ""],
].flat();

export type Outcome = {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
};

export type StubOptions = {
  /** As nixpkgs would have it; the program is always the Bun that runs the test. */
  readonly bunVersion?: string;
};

export class Flake implements Disposable {
  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), "kleinhirn-nix-")));

  constructor({ bunVersion = Bun.version }: StubOptions = {}) {
    // A store can be read by everybody, and tests of the gem's do so as somebody else.
    chmodSync(this.#folder, 0o755);
    // Nix would copy all that lies in the working tree, node_modules and .tools included.
    for (const path of listRepositoryFiles()) this.#copy(path);
    const programs = ["ruby", "gem", "bundle", "rdoc"].map((name) => Bun.which(name) ?? name);
    writeFileSync(
      join(this.#folder, "tree/nix/stub/host.nix"),
      `{ bun = ${quote(process.execPath)}; bunVersion = ${quote(bunVersion)}; ruby = [ ${programs.map(quote).join(" ")} ]; }\n`,
    );
    mkdirSync(join(this.#folder, "home"));
  }

  #copy(path: string): void {
    const target = join(this.#folder, "tree", path);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(repositoryRoot, path), target);
  }

  get currentSystem(): string {
    return `${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux`;
  }

  /** @param apply a Nix function that makes of the output what JSON can hold. */
  evaluate(output: string, apply?: string): unknown {
    const { exitCode, stdout, stderr } = this.try(
      ["eval", "--json", "--offline", ...(apply === undefined ? [] : ["--apply", apply])],
      output,
    );
    if (exitCode !== 0) throw new Error(`${output} can't be evaluated: ${stderr}`);
    return JSON.parse(stdout);
  }

  /** @returns the path in the store */
  build(output: string): string {
    const { exitCode, stdout, stderr } = this.try(["build", "--json", "--no-link"], output);
    if (exitCode !== 0) throw new Error(`${output} can't be built: ${stderr}`);
    // Reason for the cast: Nix's own format; another one fails the next line.
    const [built] = JSON.parse(stdout) as [{ outputs: { out: string } }];
    return built.outputs.out;
  }

  /** `nix COMMAND…` with this flake's output, or the flake itself. */
  try(command: readonly string[], output?: string): Outcome {
    const tree = `path:${this.#folder}/tree`;
    const input = [
      "--override-input",
      "nixpkgs",
      `path:${this.#folder}/tree/nix/stub`,
      "--no-write-lock-file",
    ];
    const installable = output === undefined ? tree : `${tree}#${output}`;
    const { exitCode, stdout, stderr } = Bun.spawnSync(
      ["nix", ...options, ...command, installable, ...input],
      { env: this.#environment(), stdin: "ignore", cwd: this.#folder },
    );
    return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
  }

  /** Of this machine's set-up only what leads to its registries, where they are not the usual ones. */
  #environment(): Record<string, string | undefined> {
    const { PATH, BUN_CONFIG_REGISTRY, NODE_EXTRA_CA_CERTS, http_proxy, https_proxy, no_proxy } = process.env;
    const folder = this.#folder;
    return {
      ...{ PATH, BUN_CONFIG_REGISTRY, NODE_EXTRA_CA_CERTS, http_proxy, https_proxy, no_proxy },
      HOME: join(folder, "home"),
      NIX_REMOTE: "local",
      NIX_STORE_DIR: join(folder, "store"),
      NIX_STATE_DIR: join(folder, "state"),
      NIX_LOG_DIR: join(folder, "log"),
      NIX_CONF_DIR: join(folder, "configuration"),
    };
  }

  /** Nix takes everybody's right to write in its store, its owner's too. */
  [Symbol.dispose](): void {
    if (process.getuid?.() !== 0) makeWritable(this.#folder);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function makeWritable(folder: string): void {
  const glob = new Bun.Glob("**");
  for (const path of glob.scanSync({ cwd: folder, onlyFiles: false, dot: true, followSymlinks: false })) {
    try {
      chmodSync(join(folder, path), 0o700);
    } catch {
      // A link that leads nowhere; it needs no right to be removed.
    }
  }
}

/** JSON's strings are Nix's, but for `${`, which no path here has. */
function quote(text: string): string {
  return JSON.stringify(text);
}
