/** The first lines that run, with next to nothing imported: reading the rest takes several times as long as Bun's own start. */
import { writeSync } from "node:fs";
import { execStepCommand } from "../system/exec-step-command.ts";
import { captureSignals } from "../system/signals.ts";
import { threadVariables } from "../system/thread-variables.ts";
import { exitOsRefused } from "./exit-code.ts";

/** Bun's own, without effect on a program that is compiled (its installer and its images set them), or welcome. */
const harmless: ReadonlySet<string> = new Set([
  "BUN_INSTALL",
  "BUN_RUNTIME_TRANSPILER_CACHE_PATH",
  ...threadVariables,
]);

/** They are to die of a signal as any program does. */
const unguarded: ReadonlySet<string> = new Set(["check", "ack", "health", execStepCommand]);

/** Does not come back if Bun is steered by a variable: the program begins again without it, or not at all. */
async function restartIfSteered(argv: readonly string[]): Promise<void> {
  const names = Object.keys(process.env).filter((name) => name.startsWith("BUN_") && !harmless.has(name));
  if (names.length === 0) return;
  const { restartWithout } = await import("../system/unsteered.ts");
  try {
    restartWithout(new Set(names), argv, process.env);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    writeSync(
      2,
      `kleinhirn: can't start again without ${names.join(", ")}: ${reason}. Unset what is set of them\n`,
    );
    process.exit(exitOsRefused);
  }
}

/**
 * Ends the process. Signals are caught before anything else: for PID 1 one without a handler is lost, for any other pid it
 * is deadly.
 */
export async function start(argv: readonly string[]): Promise<never> {
  if (Bun.isStandaloneExecutable && argv[0] !== execStepCommand) await restartIfSteered(argv);
  const signals = unguarded.has(argv[0] ?? "") ? undefined : captureSignals();
  const { main } = await import("./main.ts");
  return await main(argv, signals);
}
