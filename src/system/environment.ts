/**
 * Variables of the supervisor's own environment that are about the supervisor and wrong in a child: those that steer
 * Bun, those that name the supervisor's own service manager, and the inherited sockets, which are announced anew to
 * those who get them (specification sections 5 and 7).
 */
const ownVariables: ReadonlySet<string> = new Set([
  "BUN_OPTIONS",
  "BUN_BE_BUN",
  "NOTIFY_SOCKET",
  "WATCHDOG_USEC",
  "WATCHDOG_PID",
  "LISTEN_PID",
  "LISTEN_FDS",
  "LISTEN_FDNAMES",
  "LISTEN_FDS_FIRST_FD",
]);

/** What children get of the supervisor's environment; a set's `env` goes on top of it. */
export function inheritedEnvironment(
  own: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const inherited: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && !ownVariables.has(name)) inherited[name] = value;
  }
  return inherited;
}
