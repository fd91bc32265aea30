/** The command that starts a Ruby preloader (specification section 6). */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RubyCommand } from "../config/config.ts";
import type { InheritedSockets } from "../system/inherited-sockets.ts";
import type { Environment, ServiceIdentity } from "./environment.ts";

/** Where the gem that comes with kleinhirn lies. */
export const gemFolder = join(import.meta.dir, "../../ruby");

export type PreloaderCommand = {
  readonly cmdline: readonly [string, ...string[]];
  readonly env: Environment;
};

/**
 * The preloader sets up Bundler itself: `bundle exec` would start Ruby twice, and an error in `-rbundler/setup` would come
 * before there is a connection to tell it over. The gem's folder comes by `-I`, which outlives Bundler's setup and, unlike
 * RUBYLIB, doesn't leak into what workers start.
 */
export function preloaderCommand(
  ruby: RubyCommand,
  base: Environment,
  service: ServiceIdentity,
  generation: number,
  sockets: InheritedSockets | undefined,
): PreloaderCommand {
  const cmdline: [string, ...string[]] = [
    "ruby",
    `-I${join(gemFolder, "lib")}`,
    join(gemFolder, "exe/kleinhirn_loader"),
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
  return { cmdline, env: ruby.gemfile === undefined ? base : bundlerEnvironment(ruby.gemfile, base) };
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
