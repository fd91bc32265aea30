/** What the numbers were measured on. */
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";

function firstLine(command: readonly [string, ...string[]]): string {
  const ran = Bun.spawnSync([...command]);
  return ran.stdout.toString().split("\n")[0] ?? "";
}

function processor(): string {
  return /^model name\s*: (.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? process.arch;
}

export function describeMachine(): readonly (readonly [string, string])[] {
  return [
    ["processor", `${cpus().length} × ${processor()}`],
    ["memory", `${Math.round(totalmem() / 2 ** 30)} GB`],
    ["kernel", `Linux ${release()}`],
    ["Ruby", firstLine(["ruby", "-e", "puts RUBY_DESCRIPTION"])],
    ["Bun", Bun.version],
    ["einhorn", "1.1.1"],
  ];
}

/** Processes that run or want to, averaged over a minute: on a quiet machine, not much more than what we start. */
export function load(): string {
  return (loadavg()[0] ?? Number.NaN).toFixed(2);
}
