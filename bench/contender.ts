/** The two supervisors, and how each is told to do the same thing. */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "..");
const place = join(root, ".tools", "bench");
const application = join(place, "app");
const einhorn = join(place, "einhorn", "gems", "einhorn-1.1.1");

export type Job =
  /** Load the application once, fork `count` workers, each of which acks. */
  | {
      readonly kind: "preload";
      readonly count: number;
      readonly restarts: "as configured by default" | "unlimited";
    }
  /** Execute `sleep` `count` times. */
  | { readonly kind: "exec"; readonly count: number };

export type Start = {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
};

export type Contender = {
  readonly name: string;
  /** `folder` is new, empty, and removed after the run. */
  readonly prepare: (job: Job, folder: string) => Start;
  /** Whether a line of its log says that it has counted one more worker as ready. */
  readonly countsReady: (line: string) => boolean;
};

// einhorn's own program, started the way kleinhirn starts its preloader: with Bundler's setup and nothing more. `bundle
// exec einhorn`, which needs einhorn in the Gemfile, takes longer, so this is einhorn at its best.
function einhornCommand(job: Job, folder: string, extra: readonly string[]): Start {
  const files = ["-d", join(folder, "socket"), "-e", join(folder, "pid"), "-f", join(folder, "lock")];
  const program = join(einhorn, "bin", "einhorn");
  const common = ["-n", String(job.count), "-s", "0.01", "-c", "bench", ...files];
  const ruby = ["-I", join(einhorn, "lib")];
  if (job.kind === "exec") {
    return { argv: ["ruby", ...ruby, program, ...common, "sleep", "1000000"], env: {} };
  }
  return {
    // The last word is only what einhorn shows in `ps`: with -p nothing is executed.
    argv: [
      "ruby",
      ...ruby,
      "-rbundler/setup",
      program,
      ...["-m", "manual", ...common, ...extra],
      ...["-p", join(application, "for_einhorn.rb"), "ruby"],
    ],
    env: { BUNDLE_GEMFILE: join(application, "Gemfile"), BUNDLE_FROZEN: "1" },
  };
}

function einhornWith(name: string, extra: readonly string[]): Contender {
  return {
    name,
    prepare: (job, folder) => einhornCommand(job, folder, extra),
    countsReady: (line) => line.includes("INFO: Received a manual ACK from"),
  };
}

function kleinhirnWorker(job: Job): readonly string[] {
  if (job.kind === "exec") return ['type = "program"', 'cmdline = ["sleep", "1000000"]'];
  const unlimited = ['restart = { intensity = 1000000, backoff = "0ms", backoff_max = "0ms" }'];
  return [
    'type = "ruby"',
    `gemfile = ${JSON.stringify(join(application, "Gemfile"))}`,
    `load = ${JSON.stringify(join(application, "catalogue.rb"))}`,
    'start_expression = "Catalogue.work { KleinhirnLoader.ack }"',
    ...(job.restarts === "unlimited" ? unlimited : []),
  ];
}

/** `program` is a script for Bun, or, by any other ending of its name, a compiled kleinhirn. */
function kleinhirnStart(program: string, job: Job, folder: string): Start {
  const file = join(folder, "kleinhirn.toml");
  const lines = [
    "[supervisor]",
    'name = "bench"',
    `socket = ${JSON.stringify(join(folder, "socket"))}`,
    "[health_check]",
    `listen_addr = ${JSON.stringify(`unix:${join(folder, "health")}`)}`,
    "[worker]",
    `count = ${job.count}`,
    ...kleinhirnWorker(job),
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  const run = ["run", "-f", file] as const;
  const isScript = /\.[jt]s$/.test(program);
  return { argv: isScript ? [join(place, "bun"), program, ...run] : [program, ...run], env: {} };
}

function kleinhirn(program: string): Contender {
  return {
    name: "kleinhirn",
    prepare: (job, folder) => kleinhirnStart(program, job, folder),
    countsReady: (line) => line.includes('msg="worker ready"'),
  };
}

/** `program` is the kleinhirn to measure. The others are what it is measured against. */
export function contendersFor(program: string): readonly [Contender, Contender, Contender] {
  return [
    kleinhirn(resolve(program)),
    einhornWith("einhorn", []),
    einhornWith("einhorn --gc-before-fork", ["--gc-before-fork"]),
  ];
}

export { application };
