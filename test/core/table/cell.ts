/** What a table of states × events is made of. */
import type { DeathHistory } from "../../../src/core/restart-intensity.ts";
import type { Scene } from "../support/scene.ts";

/** What an event does in a state. */
export type Cell = {
  /** The next phase. */
  readonly next: string;
  /** In order, as `describeEffect` writes them. */
  readonly effects: readonly string[];
  /** Counted by this event towards the intensity of the set or the preloader. */
  readonly deaths: number;
  readonly why: string | undefined;
};

/** The state stays the very same and nothing is asked for. */
export type Ignored = { readonly ignored: string };

export type Row<EventName extends string> = Readonly<Record<EventName, Cell | Ignored>>;
export type Cells<StateName extends string, EventName extends string> = Readonly<
  Record<StateName, Row<EventName>>
>;

export type Described<T> = { readonly text: string; readonly run: T };

export type Table<StateName extends string = string, EventName extends string = string> = {
  readonly title: string;
  readonly introduction: string;
  /** How each state comes about, by real transitions only. */
  readonly states: Readonly<Record<StateName, Described<() => Scene>>>;
  readonly events: Readonly<Record<EventName, Described<(scene: Scene) => Scene>>>;
  /** What "the next phase" is in this table. */
  readonly phaseOf: (scene: Scene) => string;
  readonly deathsOf: (scene: Scene) => DeathHistory;
  readonly cells: Cells<StateName, EventName>;
};

export function to(
  next: string,
  effects: readonly string[] = [],
  more: { readonly deaths?: number; readonly why?: string } = {},
): Cell {
  return { next, effects, deaths: more.deaths ?? 0, why: more.why };
}

export function ignored(because: string): Ignored {
  return { ignored: because };
}
