/** The first lines that run, with next to nothing imported: reading the rest takes several times as long as Bun's own start. */
import { execStepCommand } from "../system/exec-step-command.ts";
import { captureSignals } from "../system/signals.ts";

/** They are to die of a signal as any program does. */
const unguarded: ReadonlySet<string> = new Set(["check", "ack", "health", execStepCommand]);

/**
 * Ends the process. Signals are caught before anything else: for PID 1 one without a handler is lost, for any other pid it
 * is deadly.
 */
export async function start(argv: readonly string[]): Promise<never> {
  const signals = unguarded.has(argv[0] ?? "") ? undefined : captureSignals();
  const { main } = await import("./main.ts");
  return await main(argv, signals);
}
