import { isHidden, revealVariables } from "./exec-step-command.ts";
import { threadVariables } from "./thread-variables.ts";

/**
 * Variables of the supervisor's own environment that are about the supervisor and wrong in a child: those that steer
 * Bun, those that name the supervisor's own service manager, and the inherited sockets, which are announced anew to
 * those who get them (specification sections 5 and 7).
 */
const ownVariables: ReadonlySet<string> = new Set([
  "BUN_OPTIONS",
  "BUN_BE_BUN",
  ...threadVariables,
  "NOTIFY_SOCKET",
  "WATCHDOG_USEC",
  "WATCHDOG_PID",
  "LISTEN_PID",
  "LISTEN_FDS",
  "LISTEN_FDNAMES",
  "LISTEN_FDS_FIRST_FD",
]);

export function isHandedDown(name: string): boolean {
  return !ownVariables.has(name);
}

/** What children get of the supervisor's environment; a set's `env` goes on top of it. */
export function inheritedEnvironment(
  own: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const inherited: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && isHandedDown(name)) inherited[name] = value;
  }
  // A start that was steered by variables of Bun's has hidden them from Bun.
  for (const name of Object.keys(inherited)) if (isHidden(name)) delete inherited[name];
  return { ...inherited, ...Object.fromEntries(revealVariables(own)) };
}
