/** bench/run starts this; what is measured, and how, is in bench/README.md. */
import { writeFileSync } from "node:fs";
import { calibrateClock } from "./clock.ts";
import { load } from "./machine.ts";
import { measureAll } from "./measure.ts";
import { readOptions, usage } from "./options.ts";
import { writeReport } from "./report.ts";
import { killAllSupervised } from "./supervised.ts";

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    killAllSupervised();
    process.exit(1);
  });
}

async function main(args: readonly string[]): Promise<void> {
  const begun = new Date();
  const options = readOptions(args, begun);
  if (!options) return console.log(usage);
  const loadBefore = load();
  const clock = await calibrateClock();
  const measurements = await measureAll(options, clock);
  const text = writeReport(measurements, { options, args, begun, loadBefore, loadAfter: load(), clock });
  console.log(text);
  if (options.output) writeFileSync(options.output, text);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
