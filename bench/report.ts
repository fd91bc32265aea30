/** The measurements as Markdown tables. */
import type { Clock } from "./clock.ts";
import type { ExecSample } from "./exec.ts";
import { describeMachine } from "./machine.ts";
import type { Column, Measurements } from "./measure.ts";
import type { Options } from "./options.ts";
import type { PreloadSample } from "./preload.ts";
import type { RestartSample } from "./restarts.ts";
import { median, p95 } from "./statistics.ts";

export type Circumstances = {
  readonly options: Options;
  readonly args: readonly string[];
  readonly begun: Date;
  readonly loadBefore: string;
  readonly loadAfter: string;
  readonly clock: Clock;
};

/** One line of a table: what to take from each sample, as one number or several. */
type Row<Sample> = {
  readonly label: string;
  readonly unit: "ms" | "MB" | "/s" | "";
  readonly take: Take<Sample>;
};
type Take<Sample> = (sample: Sample) => number | readonly number[];

const megabytes = (kilobytes: number) => kilobytes / 1024;

function format(value: number, unit: Row<never>["unit"]): string {
  if (Number.isNaN(value)) return "";
  const digits = unit === "" ? 0 : value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toFixed(digits);
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function valuesOf<Sample>(column: Column<Sample>, row: Row<Sample>): readonly number[] {
  return column.samples.flatMap((sample) => row.take(sample));
}

/** The first column is compared with each of the others: a ratio below 1 is less time, or less memory. */
function compare<Sample>(columns: readonly Column<Sample>[], rows: readonly Row<Sample>[]): string {
  const [ours, ...theirs] = columns;
  if (!ours) return "";
  const heads = columns.flatMap(({ name }) => [`${name}: median`, "p95"]);
  const ratios = theirs.map(({ name }) => `ratio to ${name}: median (p95)`);
  const head = ["", ...heads, ...ratios];
  const lines = rows.map((row) => {
    const [our, ...their] = columns.map((column) => valuesOf(column, row));
    const shown = columns.flatMap((column) => {
      const values = valuesOf(column, row);
      return [format(median(values), row.unit), format(p95(values), row.unit)];
    });
    const compared = their.map((values) => {
      const ratio = median(our ?? []) / median(values);
      const tail = p95(our ?? []) / p95(values);
      return `**${ratio.toFixed(2)}** (${tail.toFixed(2)})`;
    });
    return tableRow([row.unit ? `${row.label}, ${row.unit}` : row.label, ...shown, ...compared]);
  });
  return [tableRow(head), tableRow(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...lines].join(
    "\n",
  );
}

function preloadRows(count: number): readonly Row<PreloadSample>[] {
  return [
    { label: `start → ${count} acks`, unit: "ms", take: (s) => s.startToAckedMs },
    { label: "· start → application begins to load", unit: "ms", take: (s) => s.startToLoadingMs },
    { label: "· load", unit: "ms", take: (s) => s.loadingMs },
    { label: `· loaded → ${count} acks`, unit: "ms", take: (s) => s.loadedToAckedMs },
    { label: `start → supervisor has logged ${count} acks`, unit: "ms", take: (s) => s.startToCountedMs },
    { label: "processor time of all until then", unit: "ms", take: (s) => s.processorMs },
    { label: "KILL → ack of the replacement", unit: "ms", take: (s) => s.replacementsMs },
    { label: "whole tree: PSS", unit: "MB", take: (s) => megabytes(s.tree.pss) },
    { label: "whole tree: sum of RSS", unit: "MB", take: (s) => megabytes(s.tree.rss) },
    { label: "one worker: private, dirty", unit: "MB", take: (s) => megabytes(s.workerPrivateDirty) },
    { label: "supervisor: private, dirty", unit: "MB", take: (s) => megabytes(s.supervisor.privateDirty) },
    { label: "supervisor: private, clean", unit: "MB", take: (s) => megabytes(s.supervisor.privateClean) },
    { label: "supervisor: PSS", unit: "MB", take: (s) => megabytes(s.supervisor.pss) },
    { label: "supervisor: open descriptors", unit: "", take: (s) => s.descriptors },
    { label: "supervisor: threads", unit: "", take: (s) => s.threads },
  ];
}

function execRows(count: number): readonly Row<ExecSample>[] {
  return [
    { label: `start → ${count} launched`, unit: "ms", take: (s) => s.startToLaunchedMs },
    { label: `first → ${count} launched`, unit: "ms", take: (s) => s.firstToLaunchedMs },
    { label: "launches a second", unit: "/s", take: (s) => count / (s.firstToLaunchedMs / 1000) },
    { label: "supervisor: private, dirty", unit: "MB", take: (s) => megabytes(s.supervisor.privateDirty) },
    { label: "supervisor: private, clean", unit: "MB", take: (s) => megabytes(s.supervisor.privateClean) },
    { label: "supervisor: open descriptors", unit: "", take: (s) => s.descriptors },
    { label: "supervisor: threads", unit: "", take: (s) => s.threads },
  ];
}

const restartRows: readonly Row<RestartSample>[] = [
  { label: "KILL → ack, one after the other", unit: "ms", take: (s) => s.replacementsMs },
];

/** A line per contender and kind of memory; medians over the rounds. */
function growthTable(columns: readonly Column<RestartSample>[]): string {
  const counts = columns[0]?.samples[0]?.points.map((point) => point.restarts) ?? [];
  const head = ["after … restarts", ...counts.map(String)];
  const kinds = [
    [
      "private, dirty, MB",
      (p: RestartSample["points"][number]) => megabytes(p.memory.privateDirty).toFixed(1),
    ],
    [
      "private, clean, MB",
      (p: RestartSample["points"][number]) => megabytes(p.memory.privateClean).toFixed(1),
    ],
    ["open descriptors", (p: RestartSample["points"][number]) => String(p.descriptors)],
    ["threads", (p: RestartSample["points"][number]) => String(p.threads)],
  ] as const;
  const lines = columns.flatMap(({ name, samples }) =>
    kinds.map(([label, show]) => {
      const cells = counts.map((_, index) => {
        const shown = samples
          .flatMap((sample) => sample.points[index] ?? [])
          .map((point) => Number(show(point)));
        return String(Number(median(shown).toFixed(1)));
      });
      return tableRow([`${name}: ${label}`, ...cells]);
    }),
  );
  return [tableRow(head), tableRow(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...lines].join(
    "\n",
  );
}

/** Where the tables went is of no interest to whoever reads them there. */
function withoutOutput(args: readonly string[]): readonly string[] {
  const at = args.indexOf("--output");
  return at < 0 ? args : args.toSpliced(at, 2);
}

function introduce({ options, args, begun, loadBefore, loadAfter, clock }: Circumstances): string {
  const facts = [
    ["date", begun.toISOString().slice(0, 16).replace("T", " ")],
    ...describeMachine(),
    ["load average before, after", `${loadBefore}, ${loadAfter}`],
    ["clocks agree to", `${(clock.error / 1000).toFixed(0)} µs`],
    ["command", `\`${["bench/run", ...withoutOutput(args)].join(" ")}\``],
    ["rounds", `${options.rounds}, taken in turns; of the restarts ${options.restartRounds}`],
  ];
  const lines = facts.map(([name, value]) => tableRow([name ?? "", value ?? ""]));
  return [tableRow(["", ""]), tableRow(["---", "---"]), ...lines].join("\n");
}

export function writeReport(measured: Measurements, circumstances: Circumstances): string {
  const { options } = circumstances;
  const parts = [
    "# kleinhirn beside einhorn",
    "How to read this: [bench/README.md](../README.md).",
    introduce(circumstances),
  ];
  if (measured.preload.length > 0) {
    parts.push("## A preloaded application", compare(measured.preload, preloadRows(options.workers)));
  }
  if (measured.restarts.length > 0) {
    parts.push(
      `## ${options.restarts} restarts`,
      compare(measured.restarts, restartRows),
      growthTable(measured.restarts),
    );
  }
  if (measured.exec.length > 0) {
    parts.push(
      `## ${options.execWorkers} workers by exec`,
      compare(measured.exec, execRows(options.execWorkers)),
    );
  }
  return `${parts.join("\n\n")}\n`;
}
