/** `kleinhirn check`: says what would run, and starts nothing. */
import { describeConfig } from "../config/describe.ts";
import { loadConfig } from "../config/load.ts";
import { exitOk } from "./exit-code.ts";
import { print, reportLoad } from "./load.ts";
import { realWorld } from "./world.ts";

export function checkConfig(file: string): number {
  const world = realWorld();
  const loaded = reportLoad(loadConfig(file, world));
  if (!loaded.ok) return loaded.exitCode;
  print(describeConfig(loaded.config, world.env));
  return exitOk;
}
