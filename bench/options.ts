import { parseArgs } from "node:util";

export type Options = {
  readonly rounds: number;
  readonly restartRounds: number;
  readonly workers: number;
  readonly restarts: number;
  readonly execWorkers: number;
  readonly parts: readonly Part[];
  /** The program, or script for Bun, to measure. */
  readonly kleinhirn: string;
  /** Where to write the tables; undefined: only print them. */
  readonly output: string | undefined;
};

export const allParts = ["preload", "restarts", "exec"] as const;
export type Part = (typeof allParts)[number];

export const usage = `bench/run [--rounds N] [--restart-rounds N] [--workers N] [--restarts N] [--exec-workers N]
          [--only ${allParts.join("|")}]… [--kleinhirn FILE] [--output FILE]
Measures kleinhirn beside einhorn; see bench/README.md. Without --output the tables go to bench/results/DATE.md; with
--output - they are only printed. What is measured is the binary, built from this tree, or what --kleinhirn names: another
binary, or a script for Bun (kleinhirn.ts, dist/kleinhirn.js).`;

/** bench/run has just built it. */
const builtProgram = `${import.meta.dir}/../dist/kleinhirn`;

const flags = {
  rounds: { type: "string", default: "12" },
  "restart-rounds": { type: "string", default: "3" },
  workers: { type: "string", default: "16" },
  restarts: { type: "string", default: "1000" },
  "exec-workers": { type: "string", default: "500" },
  only: { type: "string", multiple: true, default: [] as string[] },
  kleinhirn: { type: "string", default: builtProgram },
  output: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

function readCount(flag: string, value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1)
    throw new Error(`--${flag} must be a whole number above 0, not ${value}`);
  return count;
}

function readParts(values: readonly string[]): readonly Part[] {
  const parts = values.map((value) => {
    const part = allParts.find((known) => known === value);
    if (!part) throw new Error(`--only must be one of ${allParts.join(", ")}, not ${value}`);
    return part;
  });
  return parts.length > 0 ? parts : allParts;
}

/** Undefined when help is asked for. Throws an Error that says what is wrong. */
export function readOptions(args: readonly string[], now: Date): Options | undefined {
  const { values } = parseArgs({ args: [...args], options: flags, strict: true });
  if (values.help) return undefined;
  const dated = `${import.meta.dir}/results/${now.toISOString().slice(0, 10)}.md`;
  return {
    rounds: readCount("rounds", values.rounds),
    restartRounds: readCount("restart-rounds", values["restart-rounds"]),
    workers: readCount("workers", values.workers),
    restarts: readCount("restarts", values.restarts),
    execWorkers: readCount("exec-workers", values["exec-workers"]),
    parts: readParts(values.only),
    kleinhirn: values.kleinhirn,
    output: values.output === "-" ? undefined : (values.output ?? dated),
  };
}
