/** Pieces of configurations and of workers' scripts. */

/** What nearly every test wants: the log as JSON with all its events, and health answers on a port of the kernel's choice. */
export const common = `
[log]
format = "json"
level = "debug"
[health_check]
listen_addr = "127.0.0.1:0"
`;

/** `[supervisor]` with the test's own settings, and `common`. */
export function supervisor(settings = ""): string {
  return `[supervisor]\nname = "it"\n${settings}\n${common}`;
}

/** `cmdline = […]`: JSON's strings are TOML's basic strings. */
export function cmdline(...argv: readonly string[]): string {
  return `cmdline = ${JSON.stringify(argv)}`;
}

/** A worker that is a script for sh. */
export function shell(script: string): string {
  return cmdline("sh", "-c", script);
}

/** In a worker's script, with `ack = "message"`: says that it is ready; it starts no process. */
export const ackByDescriptor = `printf '{"action":"ack","id":"%s"}\\n' "$KLEINHIRN_WORKER_ID" >&"$KLEINHIRN_STATUS_FD"`;

/** In a worker's script: waits for signals for ever, without a process and without spinning. */
export const idle = `mkfifo "idle.$$" && exec 8<> "idle.$$"; while :; do read line <&8; done`;
