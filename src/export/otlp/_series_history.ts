/** What an exporter remembers of a set's series: since when they count, and what it has told. */

import type { InstrumentDescription, SetDescription, SetSnapshot } from "./messages.ts";

/** What is known of one series while a push is made. */
export interface SeriesPast {
  /** Since when it counts, in ms since the epoch: its value was zero then. */
  readonly startMs: number;
  /** Index of its first cell in {@linkcode SeriesHistory.cells}. */
  readonly firstCell: number;
}

/** Cells of an instrument. */
export function cellCount({ upperBounds, kind }: InstrumentDescription): number {
  return kind === "histogram" ? upperBounds.length + 2 : 1;
}

/** One set as one exporter sees it. */
export class SeriesHistory {
  /** Cells as they were told last, zeros before. */
  cells = new BigUint64Array(0);
  #starts = new Float64Array(0);
  /** Generation of the series; -1 for none. */
  #generations = new Int32Array(0);
  readonly #rowCells: number;
  /** Cells that never go down, but when they begin anew. Doubles above zero have the order of their bits. */
  readonly #risingCells: readonly number[];
  /** Places by labels, where the numbers of series mean nothing. */
  readonly #places: Map<string, number> | undefined;
  readonly #free: number[] = [];

  constructor({ instruments, isRetold }: SetDescription) {
    const rising: number[] = [];
    let first = 0;
    for (const instrument of instruments) {
      const cells = cellCount(instrument);
      // The sum of a histogram may go down.
      const risingCount = instrument.type === "gauge" ? 0 : cells === 1 ? 1 : cells - 1;
      for (let cell = 0; cell < risingCount; cell++) rising.push(first + cell);
      first += cells;
    }
    this.#rowCells = first;
    this.#risingCells = rising;
    this.#places = isRetold ? new Map() : undefined;
  }

  /**
   * The past of every series of a snapshot. One that has begun since the last push counts from then on.
   * @param labelsOf the labels of a position as one text; asked only where series have no lasting number.
   */
  past(
    snapshot: SetSnapshot,
    { previousMs, labelsOf }: { previousMs: number; labelsOf: (position: number) => string },
  ): SeriesPast[] {
    const places = this.#placesOf(snapshot, labelsOf);
    return places.map((place, position) => {
      this.#growTo(place + 1);
      const firstCell = place * this.#rowCells;
      const generation = this.#places === undefined ? snapshot.generations[position] : 0;
      const isSame = this.#generations[place] === generation &&
        !this.#hasFallen(firstCell, { cells: snapshot.cells, at: position * this.#rowCells });
      if (!isSame) {
        this.#generations[place] = generation;
        this.#starts[place] = previousMs;
        this.cells.fill(0n, firstCell, firstCell + this.#rowCells);
      }
      return { startMs: this.#starts[place], firstCell };
    });
  }

  /** After a push was made: that is what has been told. */
  remember(snapshot: SetSnapshot, past: readonly SeriesPast[]): void {
    past.forEach(({ firstCell }, position) => {
      const from = position * this.#rowCells;
      this.cells.set(snapshot.cells.subarray(from, from + this.#rowCells), firstCell);
    });
  }

  #placesOf(snapshot: SetSnapshot, labelsOf: (position: number) => string): number[] {
    const known = this.#places;
    if (known === undefined) return [...snapshot.series];
    const labels = Array.from(snapshot.series, (_, position) => labelsOf(position));
    const present = new Set(labels);
    for (const [label, place] of known) {
      if (present.has(label)) continue;
      known.delete(label);
      this.#generations[place] = -1;
      this.#free.push(place);
    }
    return labels.map((label) => {
      const place = known.get(label) ?? this.#free.pop() ?? known.size;
      known.set(label, place);
      return place;
    });
  }

  #hasFallen(first: number, now: { cells: BigUint64Array; at: number }): boolean {
    return this.#risingCells.some((cell) => now.cells[now.at + cell] < this.cells[first + cell]);
  }

  #growTo(count: number): void {
    if (count <= this.#generations.length) return;
    const capacity = Math.max(count, 2 * this.#generations.length);
    const generations = new Int32Array(capacity).fill(-1);
    generations.set(this.#generations);
    this.#generations = generations;
    const starts = new Float64Array(capacity);
    starts.set(this.#starts);
    this.#starts = starts;
    const cells = new BigUint64Array(capacity * this.#rowCells);
    cells.set(this.cells);
    this.cells = cells;
  }
}
