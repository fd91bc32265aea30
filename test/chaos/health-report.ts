/** The health answer for programs, as an orchestrator reads it. */
import type { Running } from "../helpers/running.ts";

export type HealthReport = {
  readonly status: string;
  readonly ready: boolean;
  readonly live: boolean;
  readonly sets: readonly SetReport[];
};

export type SetReport = {
  readonly name: string;
  readonly state: string;
  readonly ready: number;
  readonly count: number;
  readonly deaths: number;
  readonly workers: readonly {
    readonly slot: number;
    readonly id: string;
    readonly phase: string;
    readonly pid: number | null;
  }[];
};

export async function reportOf(running: Running): Promise<HealthReport> {
  const answer = await running.health("/livez", { headers: { accept: "application/json" } });
  // Reason for the cast: what is missing in the answer fails the test that looks for it.
  return (await answer.json()) as HealthReport;
}

export async function setReportOf(running: Running, name: string): Promise<SetReport> {
  const { sets } = await reportOf(running);
  const found = sets.find((set) => set.name === name);
  if (found === undefined) throw new Error(`the health report has no worker set ${name}`);
  return found;
}
