/** How much of it: a part in every run of script/test, all of it with --deep. */
import { isDeep } from "../helpers/deep.ts";

/** Where the plain run does less than is promised, docs/RELIABILITY.md says so. */
export function scale(plain: number, deep: number): number {
  return isDeep ? deep : plain;
}

/** What was measured, for docs/RELIABILITY.md: the tests themselves only hold a multiple that a busy machine reaches as well. */
export function tell(what: string, values: readonly number[], unit = "ms"): void {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN);
  console.log(`${what}: median ${at(0.5)} ${unit}, most ${at(1)} ${unit}, of ${sorted.length}`);
}
