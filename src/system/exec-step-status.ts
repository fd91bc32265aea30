/** What the step between fork and exec exits with when it can't execute the program; exec-step.c has the same numbers. */
import type { ExitStatus } from "../core/exit-status.ts";

/** Shells have the same for "can't be executed" and "not found". */
export const execStepStatus = { parentGone: 125, failed: 126, notFound: 127 } as const;

/**
 * In words for the log, when the exit may be the step's; nobody can tell it from the program's own, so it says "perhaps".
 * The errno is on standard error: the step has no other way to say it.
 */
export function explainExecStepExit(exit: ExitStatus, program: string): string | undefined {
  if (exit.kind === "signaled") return undefined;
  const perhaps = `perhaps ${JSON.stringify(program)} was never executed: `;
  switch (exit.code) {
    case execStepStatus.parentGone:
      return `${perhaps}it would have had another parent than kleinhirn`;
    case execStepStatus.failed:
      return `${perhaps}it is no program for this machine, or something was refused; standard error says what`;
    case execStepStatus.notFound:
      return `${perhaps}it is not there, or the interpreter that its first line names isn't; see standard error`;
    default:
      return undefined;
  }
}
