/**
 * Keeps a compiled kleinhirn from being steered by variables that mean Bun: `BUN_OPTIONS`, `BUN_JSC_…`,
 * `BUN_CONFIG_…`. Bun reads them before our code runs, so the way out is to begin again without them, in the same
 * process: pid, inherited sockets and `LISTEN_PID` stay what they were.
 */
import { setCloseOnExec } from "./descriptors.ts";
import { isHandedDown } from "./environment.ts";
import { hideVariables } from "./exec-step-command.ts";
import { clearSignalMask, execve, resetSignal } from "./libc.ts";
import { OperatingSystemError } from "./operating-system-error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The two that Bun ignores for itself: an exec hands ignored signals on. */
const signalsIgnoredByBun: readonly number[] = [13, 25];

/**
 * Begins again, without the variables of these names. They are hidden, not lost: workers get them. Throws an
 * `OperatingSystemError` when that can't be done: `ENOENT` where the C library can't be called (`BUN_JSC_useJIT=0`)…
 */
export function restartWithout(names: ReadonlySet<string>, argv: readonly string[], own: Environment): never {
  const kept = entriesOf(own).filter(([name]) => !names.has(name));
  const hidden = entriesOf(own).filter(([name]) => names.has(name) && isHandedDown(name));
  const environment = [...kept, ...Object.entries(hideVariables(Object.fromEntries(hidden)))];
  for (const descriptor of listPassedDescriptors(own)) setCloseOnExec(descriptor, false);
  for (const signal of signalsIgnoredByBun) resetSignal(signal);
  clearSignalMask();
  const words = [process.argv0, ...argv];
  const answer = execve(
    process.execPath,
    words,
    environment.map(([name, value]) => `${name}=${value}`),
  );
  throw new OperatingSystemError(
    answer.ok ? "EIO" : answer.code,
    "execve",
    `can't execute ${process.execPath}`,
  );
}

function entriesOf(own: Environment): [string, string][] {
  return Object.entries(own).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}

/** Those by whose number we have been told; Bun has marked all above 2 as close-on-exec at its start. */
function listPassedDescriptors(own: Environment): readonly number[] {
  const first = numberIn(own.LISTEN_FDS_FIRST_FD) ?? 3;
  const sockets = Array.from(
    { length: Math.min(numberIn(own.LISTEN_FDS) ?? 0, 4096) },
    (_, index) => first + index,
  );
  const status = numberIn(own.KLEINHIRN_STATUS_FD);
  return status === undefined ? sockets : [...sockets, status];
}

function numberIn(text: string | undefined): number | undefined {
  return /^\d{1,6}$/.test(text ?? "") ? Number(text) : undefined;
}
