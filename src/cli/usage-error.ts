import { escapeUnsafe } from "../escape.ts";
import type { CommandName } from "./definitions.ts";

/** A command line that can't be what its author meant: exit status 64. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** Whose `--help` says what is right. */
  readonly topic: CommandName | undefined;

  constructor(message: string, topic?: CommandName) {
    super(message);
    this.topic = topic;
  }
}

/** An argument as an error message shows it: quoted, so that its ends are seen and nothing in it reaches the terminal raw. */
export function shown(argument: string): string {
  return escapeUnsafe(JSON.stringify(argument));
}
