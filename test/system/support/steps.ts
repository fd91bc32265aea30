import { join } from "node:path";
import { prepareExecStep } from "../../../src/system/exec-step.ts";
import type { ExecStep } from "../../../src/system/exec-step-command.ts";
import { OperatingSystemError } from "../../../src/system/operating-system-error.ts";
import { fixtureFolder } from "./fixture.ts";

/** Bun, and a program that does nothing but the hidden sub-command. */
export const fallbackProgram = [process.execPath, join(fixtureFolder, "exec-step-main.ts")];

export function prepareFallback(): ExecStep {
  return prepareExecStep(fallbackProgram, {
    architecture: process.arch,
    createMemoryFile() {
      throw new OperatingSystemError("EPERM", "memfd_create", "");
    },
  });
}

/** Both kinds of the step between fork and exec, for tests that have to hold for each. */
export const steps: readonly { readonly kind: string; readonly step: ExecStep }[] = [
  { kind: "memory", step: prepareExecStep(fallbackProgram) },
  { kind: "own-program", step: prepareFallback() },
];
