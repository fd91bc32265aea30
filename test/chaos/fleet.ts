/** Worker sets of both kinds: scripts for sh, and Ruby expressions after one load of `app.rb`. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { argumentsOf, childrenOf } from "../helpers/processes.ts";
import type { LogLine, Running } from "../helpers/running.ts";
import { shell } from "../helpers/settings.ts";

/** Restarts without an end and without a delay. */
export const endless = 'restart = { intensity = 1000000, period = "1h", backoff = "0s", backoff_max = "0s" }';

export function programSet(name: string, script: string, settings: string): string {
  return `[workers.${name}]\ntype = "program"\n${settings}\n${shell(script)}\n`;
}

export function rubySet(name: string, expression: string, settings: string): string {
  return `[workers.${name}]\ntype = "ruby"\nload = "app.rb"\n${settings}\nstart_expression = '''${expression}'''\n`;
}

/** The files of a fleet with Ruby in it; `more` is what the application has beside. */
export function application(more = ""): { readonly "app.rb": string } {
  return { "app.rb": `require "kleinhirn_loader"\n${more}\n` };
}

export function linesOf(running: Running, msg: string, set?: string): readonly LogLine[] {
  return running.all((line) => line.msg === msg && (set === undefined || line.set === set));
}

export function pidsOf(lines: readonly LogLine[]): readonly number[] {
  return lines.map(({ pid }) => Number(pid));
}

/** A worker that is told to hold becomes this program, exec and Ruby alike, so that it is known from outside. */
export function holdersOf(running: Running): readonly number[] {
  return childrenOf(running.pid).filter((pid) => argumentsOf(pid)[0] === "sleep");
}

/**
 * Children that are neither these workers nor a preloader. A preloader may keep one forked process in waiting, which is no
 * worker yet.
 */
export function othersOf(running: Running, workers: readonly number[]): readonly number[] {
  const preloaders = pidsOf(linesOf(running, "preloader launched"));
  return childrenOf(running.pid).filter((pid) => !workers.includes(pid) && !preloaders.includes(pid));
}

export function exists(running: Running, file: string): boolean {
  return existsSync(join(running.folder, file));
}
