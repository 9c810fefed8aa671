/** Copies the values of a metric set's live series, for another thread. */

import type { Instrument, MetricSet } from "../../metrics/mod.ts";
import { Pace } from "../pace.ts";
import type { CellKind, InstrumentDescription, SetDescription, SetSnapshot } from "./messages.ts";

/** Series between two looks at the clock. */
const SERIES_AT_ONCE = 256;

/** Reads one set again and again. Labels are decoded and handed on once for each generation of a series. */
export class SetReader {
  readonly #set: MetricSet;
  readonly #index: number;
  readonly #startMs: number;
  readonly #widths: readonly number[];
  readonly #rowCells: number;
  readonly #pace = new Pace();
  #isDescribed = false;
  /** Generation whose labels were handed on, by series; -1 for none. */
  #labelled = new Int32Array(0);

  /**
   * @param options.index what the set is called in snapshots.
   * @param options.startMs when all values were zero, in ms since the epoch.
   */
  constructor(set: MetricSet, { index, startMs }: { index: number; startMs: number }) {
    this.#set = set;
    this.#index = index;
    this.#startMs = startMs;
    this.#widths = set.instruments.map(cellCountOf);
    this.#rowCells = this.#widths.reduce((sum, width) => sum + width, 0);
  }

  /** Copies all live series. Lets other work have its turn meanwhile: series are not read at one moment. */
  async read(): Promise<SetSnapshot> {
    const count = this.#set.seriesCount;
    this.#growTo(count);
    const out: Rows = {
      series: new Uint32Array(count),
      generations: new Uint32Array(count),
      cells: new BigUint64Array(count * this.#rowCells),
      labels: [],
      length: 0,
      overflowPosition: -1,
    };
    for (let from = 0; from < count; from += SERIES_AT_ONCE) {
      await this.#pace.breathe();
      this.#copy(out, from, Math.min(count, from + SERIES_AT_ONCE));
    }
    const description = this.#isDescribed ? undefined : describe(this.#set, this.#startMs);
    this.#isDescribed = true;
    return {
      set: this.#index,
      ...(description && { description }),
      series: out.series.slice(0, out.length),
      generations: out.generations.slice(0, out.length),
      cells: out.cells.slice(0, out.length * this.#rowCells),
      labels: out.labels,
      overflowPosition: out.overflowPosition,
    };
  }

  #growTo(count: number): void {
    if (count <= this.#labelled.length) return;
    const grown = new Int32Array(Math.max(count, 2 * this.#labelled.length)).fill(-1);
    grown.set(this.#labelled);
    this.#labelled = grown;
  }

  #copy(out: Rows, from: number, to: number): void {
    const set = this.#set;
    // Views are good until the next await.
    const columns = set.instruments.map((instrument) => instrument.column());
    for (let series = from; series < to; series++) {
      const generation = set.generation(series);
      if (generation % 2 === 1 || !set.isLive(series)) continue;
      let at = out.length * this.#rowCells;
      for (let index = 0; index < columns.length; index++) {
        const { cells, stride, offset } = columns[index];
        const first = series * stride + offset;
        const width = this.#widths[index];
        for (let cell = first; cell < first + width; cell++) out.cells[at++] = cells[cell];
      }
      const isOverflow = set.isOverflow(series);
      const isNew = !isOverflow && this.#labelled[series] !== generation;
      const values = isNew ? set.labelValues(series) : [];
      // It got another key meanwhile: it is there the next time.
      if (set.generation(series) !== generation) continue;
      if (isNew) out.labels.push([out.length, values]);
      if (isOverflow) out.overflowPosition = out.length;
      this.#labelled[series] = generation;
      out.series[out.length] = series;
      out.generations[out.length] = generation;
      out.length++;
    }
  }
}

interface Rows {
  readonly series: Uint32Array<ArrayBuffer>;
  readonly generations: Uint32Array<ArrayBuffer>;
  readonly cells: BigUint64Array<ArrayBuffer>;
  readonly labels: [number, string[]][];
  length: number;
  overflowPosition: number;
}

function cellCountOf(instrument: Instrument): number {
  const column = instrument.column();
  return column.kind === "histogram" ? column.upperBounds.length + 2 : 1;
}

function describe(set: MetricSet, startMs: number): SetDescription {
  const { scope, labelNames, instruments, isRetold = false } = set;
  return { scope, labelNames, instruments: instruments.map(describeInstrument), isRetold, startMs };
}

function describeInstrument(instrument: Instrument): InstrumentDescription {
  const { type, name, description, unit, isSlots = false } = instrument;
  const column = instrument.column();
  const upperBounds = column.kind === "histogram" ? column.upperBounds : new Float64Array(0);
  const kind: CellKind = column.kind !== "integer"
    ? column.kind
    : column.signed
    ? "signed"
    : "unsigned";
  const isLog2 = isSlots && upperBounds.every((bound, slot) => bound === 2 ** slot - 1);
  return { type, name, description, unit, kind, upperBounds, isLog2 };
}
