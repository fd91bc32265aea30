/** A life as it is told to a person: what happened when, and what the supervisor made of it. */
import type { Failure } from "./failure.ts";
import { type Observer, replay, type Script } from "./life.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

/** How to see it again, and the story. */
export function tellFailure(failure: Failure): string {
  return [
    `BROKEN: ${failure.message}`,
    `again: bun test/simulation/run.ts --seed ${failure.seed}`,
    `in ${failure.steps.length} steps:`,
    ...tell(failure),
  ].join("\n");
}

/** Plays the life, which ends in a violation or doesn't, and tells it line by line. */
export function tell(script: Script): string[] {
  const lines: string[] = [];
  let world: World | undefined;
  const observer: Observer = {
    onWorld: (created) => {
      world = created;
      lines.push(JSON.stringify(created.limits));
      created.watcher.onNews = (news) => lines.push(`${time(created)}     ${news}`);
    },
    onStep: ({ verb, name }) => {
      if (world !== undefined) lines.push(`${time(world)} ${verb} ${name}`);
    },
  };
  try {
    replay(script, observer);
    lines.push("and all was well");
  } catch (error) {
    lines.push(`${world === undefined ? "" : time(world)} ${nameOf(error)}`);
  }
  return lines;
}

function time({ machine }: World): string {
  return `${machine.clock.nowMs.toFixed(1).padStart(10)} ms`;
}

/** Anything that is thrown ends a life: a mistake in production just as a broken promise. */
export function nameOf(error: unknown): string {
  if (error instanceof Violation) return `BROKEN: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
