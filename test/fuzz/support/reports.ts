/** What a hostile worker and a hostile preloader say, for the programs that say it and the test that looks for it in the log. */
import type { Dice } from "../../core/random/dice.ts";
import { hostileFields, hostileText } from "./hostile-text.ts";

export type Report = { readonly message: string; readonly error: string };

export type HostileLog = {
  readonly level: string;
  readonly msg: string;
  readonly fields: Readonly<Record<string, unknown>>;
};

const levels = ["critical", "error", "warning", "info", "debug", "trace"];

/** Fewer than the supervisor takes of them in its window. */
const reports = 40;
const logs = 300;

/** The protocol's limit, with room for what stands around it in the line. */
const longestJson = 60_000;

export function hostileReports(dice: Dice): readonly Report[] {
  return Array.from({ length: reports }, () => ({ message: hostileText(dice), error: hostileText(dice) }));
}

/** Each has its number in the field `fuzz`, by which it is found again. */
export function hostileLogs(dice: Dice): readonly HostileLog[] {
  return Array.from({ length: logs }, (_, index) => {
    const log = { level: dice.pick(levels) ?? "", msg: hostileText(dice), fields: hostileFields(dice) };
    const isTooLong = Buffer.byteLength(JSON.stringify(log)) > longestJson;
    return {
      ...log,
      fields: Object.fromEntries([...Object.entries(isTooLong ? {} : log.fields), ["fuzz", index]]),
    };
  });
}
