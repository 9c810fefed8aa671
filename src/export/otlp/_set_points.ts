/** From a snapshot of a set to data points. */

import {
  exponentialBuckets,
  hasSum,
  type MetricHead,
  type Point,
  type Temporality,
  unsignedValue,
} from "./_points.ts";
import type { RequestBatches } from "./_request_batches.ts";
import { cellCount, type SeriesHistory, type SeriesPast } from "./_series_history.ts";
import type { SetLabels } from "./_set_labels.ts";
import type { InstrumentDescription, SetSnapshot } from "./messages.ts";

/** How and when points are made. */
export interface PointContext {
  readonly temporality: Temporality;
  readonly histograms: "exponential" | "explicit";
  /** Put before the names of a set's metrics, with a dot. */
  readonly prefix: string | undefined;
  readonly timeMs: number;
  /** Time of the push before: that is where a delta begins. */
  readonly previousMs: number;
}

/** One snapshot, and what is known besides. */
export interface SetPush {
  readonly snapshot: SetSnapshot;
  readonly labels: SetLabels;
  readonly history: SeriesHistory;
}

/** Puts all points of a snapshot into requests. Deltas of nothing are left out. */
export function pushSet(
  { snapshot, labels, history }: SetPush,
  context: PointContext & { readonly into: RequestBatches },
): void {
  const { scope, instruments } = labels.description;
  const past = history.past(snapshot, {
    previousMs: context.previousMs,
    labelsOf: (position) => JSON.stringify(labels.attributesOf(snapshot, position)),
  });
  const rows = new Rows(snapshot, history.cells, past);
  context.into.scope({ name: scope, version: "" });
  let offset = 0;
  for (const instrument of instruments) {
    const read = new InstrumentReader(instrument, { rows, offset, context });
    context.into.metric(read.head);
    for (let position = 0; position < past.length; position++) {
      const value = read.value(position);
      if (value === undefined) continue;
      const attributes = labels.attributesOf(snapshot, position);
      context.into.point({ attributes, ...read.times(position), ...value } as Point);
    }
    offset += cellCount(instrument);
  }
  history.remember(snapshot, past);
}

/** Cells of series as they are and as they were told. */
class Rows {
  readonly past: readonly SeriesPast[];
  readonly #now: { readonly cells: BigUint64Array; readonly floats: Float64Array };
  readonly #then: { readonly cells: BigUint64Array; readonly floats: Float64Array };
  readonly #rowCells: number;

  constructor(
    { cells }: SetSnapshot,
    told: BigUint64Array<ArrayBuffer>,
    past: readonly SeriesPast[],
  ) {
    this.past = past;
    this.#now = { cells, floats: new Float64Array(cells.buffer) };
    this.#then = { cells: told, floats: new Float64Array(told.buffer) };
    this.#rowCells = past.length === 0 ? 0 : cells.length / past.length;
  }

  cell(position: number, offset: number): bigint {
    return this.#now.cells[position * this.#rowCells + offset];
  }

  float(position: number, offset: number): number {
    return this.#now.floats[position * this.#rowCells + offset];
  }

  cellDelta(position: number, offset: number): bigint {
    return this.cell(position, offset) -
      this.#then.cells[this.past[position].firstCell + offset];
  }

  floatDelta(position: number, offset: number): number {
    return this.float(position, offset) -
      this.#then.floats[this.past[position].firstCell + offset];
  }
}

/** What the kind of a point adds to attributes and times; undefined if there is nothing to tell. */
type Value = Record<string, unknown> | undefined;

/** Reads one instrument of all rows. */
class InstrumentReader {
  readonly head: MetricHead;
  readonly #instrument: InstrumentDescription;
  readonly #rows: Rows;
  readonly #offset: number;
  readonly #context: PointContext;
  readonly #isDelta: boolean;
  readonly #isExponential: boolean;

  constructor(
    instrument: InstrumentDescription,
    parts: { readonly rows: Rows; readonly offset: number; readonly context: PointContext },
  ) {
    this.#instrument = instrument;
    this.#rows = parts.rows;
    this.#offset = parts.offset;
    this.#context = parts.context;
    this.#isDelta = parts.context.temporality === "delta";
    this.#isExponential = instrument.isLog2 && parts.context.histograms === "exponential";
    const { name, description, type } = instrument;
    const { prefix } = this.#context;
    this.head = {
      name: prefix === undefined ? name : `${prefix}.${name}`,
      description,
      unit: ucum(instrument.unit),
      shape: type === "counter"
        ? "sum"
        : type === "histogram" && this.#isExponential
        ? "exponentialHistogram"
        : type,
    };
  }

  times(position: number): { startMs?: number; timeMs: number } {
    const { timeMs, previousMs } = this.#context;
    if (this.#instrument.type === "gauge") return { timeMs };
    return { startMs: this.#isDelta ? previousMs : this.#rows.past[position].startMs, timeMs };
  }

  value(position: number): Value {
    switch (this.#instrument.kind) {
      case "unsigned":
        return this.#number(unsignedValue(this.#cell(position, this.#offset)));
      case "signed":
        return this.#number(BigInt.asIntN(64, this.#rows.cell(position, this.#offset)));
      case "float":
        return this.#number(this.#float(position, this.#offset));
      case "histogram":
        return this.#distribution(position);
    }
  }

  #number(value: bigint | number): Value {
    const saysNothing = this.#tellsDeltas && (value === 0n || value === 0);
    return saysNothing ? undefined : { kind: "number", value };
  }

  get #tellsDeltas(): boolean {
    return this.#isDelta && this.#instrument.type !== "gauge";
  }

  #cell(position: number, offset: number): bigint {
    return this.#tellsDeltas
      ? this.#rows.cellDelta(position, offset)
      : this.#rows.cell(position, offset);
  }

  #float(position: number, offset: number): number {
    return this.#tellsDeltas
      ? this.#rows.floatDelta(position, offset)
      : this.#rows.float(position, offset);
  }

  #distribution(position: number): Value {
    const { upperBounds } = this.#instrument;
    const buckets = upperBounds.length + 1;
    const counts = Array.from(
      { length: buckets },
      (_, bucket) => this.#cell(position, this.#offset + bucket),
    );
    const count = counts.reduce((total, each) => total + each, 0n);
    if (this.#tellsDeltas && count === 0n) return undefined;
    const at = this.#offset + buckets;
    const sum = hasSum(this.#rows.float(position, at), this.#instrument) && {
      sum: this.#float(position, at),
    };
    return this.#isExponential
      ? { kind: "exponential", count, ...sum, ...exponentialBuckets(counts) }
      : { kind: "histogram", count, ...sum, upperBounds, counts };
  }
}

/** UCUM writes micro as u. */
function ucum(unit: string): string {
  return unit.replace(/^[\u00b5\u03bc](?=s)/, "u");
}
