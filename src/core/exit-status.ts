/** How a process ended, as wait(2) tells it. */
export type ExitStatus =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signaled"; readonly signal: number };

/** Linux signal numbers (signal(7)); the same on every architecture that Bun runs on. */
const signalNames: readonly string[] = [
  "",
  ..."HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT".split(" "),
  ..."CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS".split(" "),
];

/** `KILL` for 9; the bare number for a signal without a name, such as a real-time one. */
export function signalName(signal: number): string {
  return signalNames[signal] || String(signal);
}

/** 9 for `SIGKILL` or `KILL`; undefined for a name that Linux doesn't have. */
export function signalNumber(name: string): number | undefined {
  const index = signalNames.indexOf(name.replace(/^SIG/, ""));
  return index > 0 ? index : undefined;
}

/** `status 1` or `signal KILL`: the words of the log and of the health answers. */
export function describeExit(exit: ExitStatus): string {
  return exit.kind === "exited" ? `status ${exit.code}` : `signal ${signalName(exit.signal)}`;
}
