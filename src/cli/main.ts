/** From the command line to the exit status; the only way out of the process. */
import { configFromCommand } from "../config/from-command-line.ts";
import { type LoadResult, loadConfig } from "../config/load.ts";
import { assertNever } from "../core/assert-never.ts";
import { wantsColor } from "../logging/pretty.ts";
import { execStepCommand } from "../system/exec-step-command.ts";
import { runExecStepFallback } from "../system/exec-step-fallback.ts";
import { captureSignals, type SignalSource } from "../system/signals.ts";
import { isTerminal } from "../system/terminal.ts";
import { type Command, parseCommandLine } from "./arguments.ts";
import { checkConfig } from "./check.ts";
import { versionLine } from "./definitions.ts";
import { exitOk, exitUsage } from "./exit-code.ts";
import { renderHelp } from "./help.ts";
import { complain, print, reportLoad } from "./load.ts";
import { UsageError } from "./usage-error.ts";
import { realWorld } from "./world.ts";

/** Ends the process. @param signals as they have been caught since the start, unless that was not worth it. */
export async function main(argv: readonly string[], signals: SignalSource | undefined): Promise<never> {
  if (argv[0] === execStepCommand) process.exit(runExecStepFallback(argv.slice(1)));
  process.exit(await dispatch(argv, signals));
}

async function dispatch(argv: readonly string[], signals: SignalSource | undefined): Promise<number> {
  try {
    const command = parseCommandLine(argv);
    if (command.kind === "run") return await run(command, signals ?? captureSignals());
    signals?.release();
    return await runCommand(command);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const help = error.topic === undefined ? "kleinhirn --help" : `kleinhirn ${error.topic} --help`;
    complain(`kleinhirn: ${error.message}; see ${help}`);
    return exitUsage;
  }
}

type RunCommand = Extract<Command, { kind: "run" }>;

/** What only one command needs is imported for that command: `ack` and `health` are run often and must start fast. */
async function runCommand(command: Exclude<Command, RunCommand>): Promise<number> {
  switch (command.kind) {
    case "check":
      return checkConfig(command.configFile);
    case "ack":
      return await (await import("./ack.ts")).runAck(process.env);
    case "health":
      return await (await import("./health.ts")).runHealth(command);
    case "help":
      print(await renderHelp(command.topic, wantsColor(process.env, isTerminal(1))));
      return exitOk;
    case "version":
      print(versionLine);
      return exitOk;
    default:
      return assertNever(command);
  }
}

async function run(command: RunCommand, signals: SignalSource): Promise<number> {
  const loaded = reportLoad(load(command));
  if (!loaded.ok) return loaded.exitCode;
  const { runSupervisor } = await import("./run.ts");
  return await runSupervisor(loaded.config, signals);
}

function load(command: RunCommand): LoadResult {
  const world = realWorld();
  if (command.program === undefined) return loadConfig(command.configFile, world);
  const { argv, count, name } = command.program;
  return configFromCommand({ argv, count, name, cwd: world.currentFolder }, world);
}
