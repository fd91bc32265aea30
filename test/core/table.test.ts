/** Every event in every state, one test a cell; the data is in `table/`. */
import { describe, expect, test } from "bun:test";
import type { Cell, Ignored, Table } from "./table/cell.ts";
import { describeEffect } from "./table/describe-effect.ts";
import { documentPath, renderDocument } from "./table/render.ts";
import { tables } from "./table/tables.ts";

for (const table of tables) describe(table.title, () => testTable(table));

function testTable(table: Table): void {
  for (const [stateName, state] of Object.entries(table.states)) {
    for (const [eventName, event] of Object.entries(table.events)) {
      const cell = table.cells[stateName]?.[eventName];
      test(`${state.text} × ${event.text}`, () => {
        if (cell === undefined) throw new Error("this cell is empty");
        const before = state.run();
        check(cell, table, before, event.run(before));
      });
    }
  }
}

type Scene = ReturnType<Table["states"][string]["run"]>;

function check(cell: Cell | Ignored, table: Table, before: Scene, after: Scene): void {
  const effects = after.effects.map(describeEffect);
  if ("ignored" in cell) {
    expect(effects).toEqual([]);
    expect(after.fleet).toEqual(before.fleet);
    return;
  }
  const deaths = deathsAt(table, after, after.nowMs) - deathsAt(table, before, after.nowMs);
  const { next, effects: expected, deaths: counted } = cell;
  expect({ next: table.phaseOf(after), effects, deaths }).toEqual({
    next,
    effects: [...expected],
    deaths: counted,
  });
}

/** Those of this moment: older ones may have been forgotten with their period. */
function deathsAt(table: Table, scene: Scene, atMs: number): number {
  return table.deathsOf(scene).filter((deathMs) => deathMs === atMs).length;
}

test("docs/states.md shows the tables as they are", async () => {
  const written = await Bun.file(documentPath).text();
  if (written === renderDocument()) return;
  throw new Error("docs/states.md is out of date: run `bun test/core/table/render.ts`");
});
