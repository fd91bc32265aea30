/** Writes docs/states.md from the tables: `bun test/core/table/render.ts`. */
import { fileURLToPath } from "node:url";
import type { Cell, Ignored, Row, Table } from "./cell.ts";
import { introduction } from "./introduction.ts";
import { tables } from "./tables.ts";

export const documentPath = fileURLToPath(new URL("../../../docs/states.md", import.meta.url));

export function renderDocument(): string {
  return [introduction, ...tables.map(renderTable)].join("\n");
}

function renderTable(table: Table): string {
  const states = Object.entries(table.states).map(([name, { text }]) =>
    renderState(`${table.title}: ${text}`, table, rowOf(table, name)),
  );
  return [`## ${table.title}: the tables\n`, `${table.introduction}\n`, renderMatrix(table), ...states].join(
    "\n",
  );
}

/** All states and events at a glance, with nothing but the next phase. */
function renderMatrix(table: Table): string {
  const names = Object.keys(table.states);
  const lines = Object.entries(table.events).map(([event, { text }]) => {
    const nexts = names.map((name) => nextOf(cellOf(rowOf(table, name), event)));
    return renderLine([text, ...nexts]);
  });
  const heads = names.map((name) => `\`${name}\``);
  return [renderLine(["", ...heads]), `|---|${"---|".repeat(names.length)}`, ...lines, ""].join("\n");
}

function nextOf(cell: Cell | Ignored): string {
  return "ignored" in cell ? "·" : cell.next;
}

function renderState(heading: string, { events }: Table, row: Row<string>): string {
  const lines = Object.entries(events).map(([name, { text }]) =>
    renderLine([text, ...columnsOf(cellOf(row, name))]),
  );
  const head = [renderLine(["event", "next", "effects", "deaths", "because"]), "|---|---|---|---|---|"];
  return [`### ${heading}\n`, ...head, ...lines, ""].join("\n");
}

function rowOf(table: Table, state: string): Row<string> {
  const row = table.cells[state];
  if (row === undefined) throw new Error(`${table.title} has no row for ${state}`);
  return row;
}

function cellOf(row: Row<string>, event: string): Cell | Ignored {
  const cell = row[event];
  if (cell === undefined) throw new Error(`there is no cell for ${event}`);
  return cell;
}

function columnsOf(cell: Cell | Ignored): string[] {
  if ("ignored" in cell) return ["*ignored*", "", "", cell.ignored];
  const { next, effects, deaths, why } = cell;
  return [next, effects.join("<br>"), deaths === 0 ? "" : String(deaths), why ?? ""];
}

function renderLine(columns: readonly string[]): string {
  return `| ${columns.map((column) => column.replaceAll("|", "\\|")).join(" | ")} |`;
}

if (import.meta.main) await Bun.write(documentPath, renderDocument());
