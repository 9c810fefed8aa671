/** Widths of the columns of one table: they follow the terminal, and the values that were seen. */

import { type ColumnShape, layoutColumns } from "./column_layout.ts";
import { displayWidth } from "./display_text.ts";

/** Columns grow with their values and never shrink again, so that a table does not tremble. */
export class ColumnWidths {
  /** What the columns declare. */
  readonly declared: readonly number[];
  readonly #shapes: readonly ColumnShape[];
  #seen: number[] | undefined;
  #widths: readonly number[] = [];
  #lineWidth: number | undefined;

  constructor(shapes: readonly ColumnShape[]) {
    this.#shapes = shapes;
    this.declared = shapes.map(({ width }) => width);
  }

  /** Notes the width of a row's values. Columns are laid out anew only for a value that does not fit. */
  see(cells: readonly string[]): void {
    const seen = this.#seen ??= cells.map(() => 0);
    for (let i = 0; i < cells.length; i++) {
      const width = displayWidth(cells[i]);
      if (width <= seen[i]) continue;
      seen[i] = width;
      if (width > this.#widths[i]) this.#lineWidth = undefined;
    }
  }

  /** The widths for lines of so many terminal columns: the same array as long as they are the same. */
  layOut(lineWidth: number): readonly number[] {
    if (lineWidth !== this.#lineWidth) {
      this.#lineWidth = lineWidth;
      const widths = layoutColumns(this.#shapes, { lineWidth, seen: this.#seen });
      if (widths.some((width, i) => width !== this.#widths[i])) this.#widths = widths;
    }
    return this.#widths;
  }
}
