/** The tables of a document. */
export type Row = { readonly heading: string; readonly cells: readonly string[] };

/** The rows of every table whose first line has these headings, with the heading that each table stands under. */
export function listRows(document: string, columns: readonly string[]): readonly Row[] {
  const rows: Row[] = [];
  let heading = "";
  let isWanted = false;
  for (const line of document.split("\n")) {
    if (line.startsWith("#")) heading = line.replace(/^#+ /, "");
    if (!line.startsWith("|")) isWanted = false;
    const cells = line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    if (isWanted && !/^-+$/.test(cells[0] ?? "")) rows.push({ heading, cells });
    if (cells.join("|") === columns.join("|")) isWanted = true;
  }
  return rows;
}

/** What stands in backquotes. */
export function listNames(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
}
