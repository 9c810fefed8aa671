/** Tables in markdown that are readable in a terminal too. */

/** A table: the first column to the left, the others to the right. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** A paragraph below it. */
  readonly note?: string;
}

/** The table as markdown, cells padded, with its title as a heading. */
export function renderTable({ title, columns, rows, note }: Table): string {
  const lines = [columns, ...rows].map((cells) => cells.map(escapeCell));
  const widths = columns.map((_, column) =>
    Math.max(3, ...lines.map((cells) => cells[column].length))
  );
  const render = (cells: readonly string[]) =>
    `| ${
      cells.map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])
      ).join(" | ")
    } |`;
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  const text = [`### ${title}`, "", render(lines[0]), render(rule), ...lines.slice(1).map(render)];
  if (note !== undefined) text.push("", note);
  return text.join("\n") + "\n";
}

function escapeCell(cell: string): string {
  return cell.replaceAll("|", "\\|");
}

/** Prints what a bench of its own command says. */
export function printTables(tables: readonly Table[]): void {
  // deno-lint-ignore no-console -- a command for a person, not part of kmeter
  console.log(tables.map(renderTable).join("\n"));
}
