/**
 * Series of one set whose labels came out alike, added up: OTLP wants each set of attributes once. Long
 * values that were cut, or accounts of one name, make keys that differ read the same.
 */

import { cellCount, type SeriesHistory, type SeriesPast } from "./_series_history.ts";
import type { InstrumentDescription, SetDescription, SetSnapshot } from "./messages.ts";

/** The labels of a position as one text. */
export type LabelsOf = (position: number) => string;

/** Positions whose labels are those of another one or in `known`, by these labels. */
export function equalLabels(
  { series }: SetSnapshot,
  labelsOf: LabelsOf,
  known: ReadonlySet<string> = new Set(),
): Map<string, number[]> {
  const first = new Map<string, number>();
  const groups = new Map<string, number[]>();
  for (let position = 0; position < series.length; position++) {
    const labels = labelsOf(position);
    const group = groups.get(labels);
    const other = first.get(labels);
    if (group !== undefined) group.push(position);
    else if (other !== undefined) groups.set(labels, [other, position]);
    else if (known.has(labels)) groups.set(labels, [position]);
    else first.set(labels, position);
  }
  return groups;
}

/** Rows of cells, the same way as in a snapshot. */
export class CellRows {
  readonly cells: BigUint64Array<ArrayBuffer>;
  readonly #floats: Float64Array<ArrayBuffer>;
  readonly #instruments: readonly InstrumentDescription[];
  readonly #rowCells: number;

  constructor({ instruments }: SetDescription, rows: number) {
    this.#instruments = instruments;
    this.#rowCells = instruments.reduce((sum, instrument) => sum + cellCount(instrument), 0);
    this.cells = new BigUint64Array(rows * this.#rowCells);
    this.#floats = new Float64Array(this.cells.buffer);
  }

  get rowCells(): number {
    return this.#rowCells;
  }

  /** Adds a row of other cells, less what is told of it. Gauges are not less anything. */
  add(
    row: number,
    from: { readonly cells: BigUint64Array<ArrayBuffer>; readonly first: number },
    told?: { readonly cells: BigUint64Array<ArrayBuffer>; readonly first: number },
  ): void {
    const now = { ...from, floats: new Float64Array(from.cells.buffer) };
    const then = told && { ...told, floats: new Float64Array(told.cells.buffer) };
    let offset = 0;
    for (const instrument of this.#instruments) {
      const end = offset + cellCount(instrument);
      const less = instrument.type === "gauge" ? undefined : then;
      for (; offset < end; offset++) {
        const to = row * this.#rowCells + offset;
        const isFloat = instrument.kind === "float" ||
          (instrument.kind === "histogram" && offset === end - 1);
        if (isFloat) {
          this.#floats[to] += now.floats[now.first + offset] -
            (less === undefined ? 0 : less.floats[less.first + offset]);
        } else {
          this.cells[to] += now.cells[now.first + offset] -
            (less === undefined ? 0n : less.cells[less.first + offset]);
        }
      }
    }
  }

  /** Sets gauges to zero: they are what they are now. */
  clearGauges(row: number): void {
    let offset = row * this.#rowCells;
    for (const instrument of this.#instruments) {
      if (instrument.type === "gauge") this.cells[offset] = 0n;
      offset += cellCount(instrument);
    }
  }
}

/** A snapshot in which what has equal labels is one series: for sets that are told anew with every read. */
export function addUp(
  description: SetDescription,
  snapshot: SetSnapshot,
  groups: ReadonlyMap<string, readonly number[]>,
): SetSnapshot {
  if (groups.size === 0) return snapshot;
  const into = new Map<number, number>();
  for (const [first, ...others] of groups.values()) {
    for (const other of others) into.set(other, first);
  }
  const kept = [...snapshot.series.keys()].filter((position) => !into.has(position));
  const rowOf = new Map(kept.map((position, row) => [position, row]));
  const rows = new CellRows(description, kept.length);
  for (const position of snapshot.series.keys()) {
    const row = rowOf.get(into.get(position) ?? position);
    if (row === undefined) throw new Error("BUG: a group without its first series");
    rows.add(row, { cells: snapshot.cells, first: position * rows.rowCells });
  }
  return {
    ...snapshot,
    series: Uint32Array.from(kept, (position) => snapshot.series[position]),
    generations: Uint32Array.from(kept, (position) => snapshot.generations[position]),
    cells: rows.cells,
    overflowPosition: rowOf.get(snapshot.overflowPosition) ?? -1,
  };
}

interface Sum {
  readonly startMs: number;
  readonly rows: CellRows;
}

/** A sum as a push tells it. */
export interface ToldSum {
  /** One of the positions that it is made of. */
  readonly position: number;
  readonly startMs: number;
  readonly now: BigUint64Array<ArrayBuffer>;
  readonly told: BigUint64Array<ArrayBuffer>;
}

/**
 * Sums that do not go down when one of their series leaves: what it has counted stays, until the last one
 * has left.
 */
export class LabelSums {
  readonly #description: SetDescription;
  readonly #sums = new Map<string, Sum>();

  constructor(description: SetDescription) {
    this.#description = description;
  }

  /** Labels that are sums already. */
  get labels(): ReadonlySet<string> {
    return new Set(this.#sums.keys());
  }

  /** Adds what groups have counted since they were told, and makes sums of new groups. */
  add(
    groups: ReadonlyMap<string, readonly number[]>,
    parts: {
      readonly snapshot: SetSnapshot;
      readonly history: SeriesHistory;
      readonly past: readonly SeriesPast[];
    },
  ): ToldSum[] {
    const { snapshot, history, past } = parts;
    for (const labels of this.#sums.keys()) if (!groups.has(labels)) this.#sums.delete(labels);
    return [...groups].map(([labels, positions]) => {
      const sum = this.#sums.get(labels) ?? this.#begin(labels, positions, parts);
      const told = sum.rows.cells.slice();
      sum.rows.clearGauges(0);
      for (const position of positions) {
        const now = { cells: snapshot.cells, first: position * sum.rows.rowCells };
        const then = { cells: history.cells, first: past[position].firstCell };
        sum.rows.add(0, now, then);
      }
      return {
        position: positions[0],
        startMs: sum.startMs,
        now: sum.rows.cells.slice(),
        told,
      };
    });
  }

  /** What one of the series has told by itself belongs to the sum. */
  #begin(
    labels: string,
    positions: readonly number[],
    { history, past }: { readonly history: SeriesHistory; readonly past: readonly SeriesPast[] },
  ): Sum {
    const rows = new CellRows(this.#description, 1);
    for (const position of positions) {
      rows.add(0, { cells: history.cells, first: past[position].firstCell });
    }
    const startMs = Math.min(...positions.map((position) => past[position].startMs));
    const sum = { startMs, rows };
    this.#sums.set(labels, sum);
    return sum;
  }
}
