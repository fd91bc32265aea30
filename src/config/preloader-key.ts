import type { WorkerSetConfig } from "./config.ts";

/**
 * Sets with the same key share one preloader (specification section 2.1): the same `gemfile`, `load`, `cwd` and `env`, in
 * whatever order the variables stand. Undefined for a set that has none.
 */
export function preloaderKey(set: WorkerSetConfig): string | undefined {
  if (set.command.type !== "ruby") return undefined;
  const { gemfile, load } = set.command;
  const variables = Object.entries(set.env).sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([gemfile ?? null, load, set.cwd, variables]);
}

export type PreloaderGroup = {
  readonly key: string;
  readonly sets: readonly [WorkerSetConfig, ...WorkerSetConfig[]];
  /** The longest `load_timeout` among the sets: none of them is given less time than it asked for. */
  readonly loadTimeoutMs: number;
};

/** The preloaders that the sets need, in the order of the sets. */
export function groupByPreloader(sets: readonly WorkerSetConfig[]): readonly PreloaderGroup[] {
  const groups = new Map<string, PreloaderGroup>();
  for (const set of sets) {
    const key = preloaderKey(set);
    if (key === undefined || set.command.type !== "ruby") continue;
    const { loadTimeoutMs } = set.command;
    const group = groups.get(key);
    groups.set(
      key,
      group === undefined
        ? { key, sets: [set], loadTimeoutMs }
        : { key, sets: [...group.sets, set], loadTimeoutMs: Math.max(group.loadTimeoutMs, loadTimeoutMs) },
    );
  }
  return [...groups.values()];
}
