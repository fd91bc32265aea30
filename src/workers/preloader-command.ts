/** The command that starts a Ruby preloader (specification section 6). */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { gemProgram } from "../build.ts";
import type { RubyCommand } from "../config/config.ts";
import { ownFile } from "../system/exec-step.ts";
import type { InheritedSockets } from "../system/inherited-sockets.ts";
import type { Environment, ServiceIdentity } from "./environment.ts";

/** The gem that comes with kleinhirn. */
export type Gem =
  | { readonly kind: "folder"; readonly folder: string }
  /** Part of the built program. `name` stands for the folder in backtraces and in the load path; nothing is there. */
  | { readonly kind: "embedded"; readonly program: string; readonly name: string };

export type PreloaderStart = {
  readonly gem: Gem;
  readonly generation: number;
  readonly sockets: InheritedSockets | undefined;
};

export type PreloaderCommand = {
  readonly cmdline: readonly [string, ...string[]];
  readonly env: Environment;
  /** What Ruby reads from its standard input; undefined: nothing. */
  readonly input: string | undefined;
};

/** Where the gem is and how Ruby runs it: see docs/ARCHITECTURE.md. */
export function locateGem(program: string | undefined = gemProgram): Gem {
  return program === undefined
    ? { kind: "folder", folder: join(import.meta.dir, "../../ruby") }
    : { kind: "embedded", program, name: `${ownFile()}.gem` };
}

/**
 * The preloader sets up Bundler itself: `bundle exec` would start Ruby twice, and an error in `-rbundler/setup` would come
 * before there is a connection to tell it over. The gem's folder comes by `-I`, which outlives Bundler's setup and, unlike
 * RUBYLIB, doesn't leak into what workers start.
 */
export function preloaderCommand(
  ruby: RubyCommand,
  base: Environment,
  service: ServiceIdentity,
  { gem, generation, sockets }: PreloaderStart,
): PreloaderCommand {
  const cmdline: [string, ...string[]] = [
    "ruby",
    ...(gem.kind === "folder"
      ? [`-I${join(gem.folder, "lib")}`, join(gem.folder, "exe/kleinhirn_loader")]
      : ["-", gem.name]),
    "--socket",
    service.socket,
    "--name",
    service.name,
    "--version",
    service.version,
    "--generation",
    String(generation),
    ...(ruby.gemfile === undefined ? [] : ["--gemfile", ruby.gemfile]),
    "--load",
    ruby.load,
    ...listenArguments(sockets),
  ];
  const env = ruby.gemfile === undefined ? base : bundlerEnvironment(ruby.gemfile, base);
  return { cmdline, env, input: gem.kind === "embedded" ? gem.program : undefined };
}

function listenArguments(sockets: InheritedSockets | undefined): readonly string[] {
  if (sockets === undefined) return [];
  const names = sockets.names === undefined ? [] : ["--listen-names", sockets.names];
  return [
    "--listen-fds",
    String(sockets.count),
    "--listen-first-fd",
    String(sockets.firstDescriptor),
    ...names,
  ];
}

/** Frozen, so that a start never resolves or writes; where there is no lock file, frozen would refuse to start at all. */
function bundlerEnvironment(gemfile: string, base: Environment): Environment {
  const isLocked =
    existsSync(`${gemfile}.lock`) || (gemfile.endsWith("gems.rb") && existsSync(lockOf(gemfile)));
  const frozen = isLocked && base.BUNDLE_FROZEN === undefined ? { BUNDLE_FROZEN: "1" } : {};
  return { ...base, BUNDLE_GEMFILE: gemfile, ...frozen };
}

/** Bundler's other spelling: gems.rb and gems.locked. */
function lockOf(gemsFile: string): string {
  return gemsFile.replace(/\.rb$/, ".locked");
}
