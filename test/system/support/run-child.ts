import { readFileSync } from "node:fs";
import type { ExitStatus } from "../../../src/core/exit-status.ts";
import { type ChildRequest, spawnChild } from "../../../src/system/child.ts";
import type { ExecStep } from "../../../src/system/exec-step-command.ts";
import { TemporaryFolder } from "./temporary-folder.ts";

export const path = "/usr/local/bin:/usr/bin:/bin";

export function childRequest(argv: ChildRequest["argv"], rest: Partial<ChildRequest> = {}): ChildRequest {
  return {
    argv,
    cwd: "/",
    environment: { PATH: path },
    openFiles: undefined,
    listen: undefined,
    ack: undefined,
    onExit() {},
    ...rest,
  };
}

export type Ended = {
  readonly pid: number;
  readonly exit: ExitStatus;
  /** What it wrote to the file that `OUT` names, or to its stderr. */
  readonly text: string;
};

/** Runs a shell script as a child of the test to its end; its output goes to a file, ours stays untouched. */
export async function runScript(
  script: string,
  step: ExecStep,
  rest: Partial<ChildRequest> = {},
): Promise<Ended> {
  using folder = new TemporaryFolder();
  const out = folder.file("out");
  const environment = { PATH: path, ...rest.environment, OUT: out };
  const { promise, resolve } = Promise.withResolvers<ExitStatus>();
  const argv: ChildRequest["argv"] = ["/bin/sh", "-c", `exec >"$OUT" 2>&1; ${script}`];
  const { pid } = spawnChild(childRequest(argv, { ...rest, environment, onExit: resolve }), step);
  return { pid, exit: await promise, text: readFileSync(out, "utf8") };
}

/** Starts it and waits for its end. */
export async function runChild(request: ChildRequest, step: ExecStep): Promise<ExitStatus> {
  const { promise, resolve } = Promise.withResolvers<ExitStatus>();
  spawnChild({ ...request, onExit: resolve }, step);
  return await promise;
}
