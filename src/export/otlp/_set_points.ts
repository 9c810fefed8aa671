/** From a snapshot of a set to data points. */

import {
  exponentialBuckets,
  hasSum,
  type MetricHead,
  type Point,
  type Temporality,
  unsignedValue,
} from "./_points.ts";
import { addUp, equalLabels, LabelSums } from "./_equal_labels.ts";
import type { RequestBatches } from "./_request_batches.ts";
import { cellCount, SeriesHistory, type SeriesPast } from "./_series_history.ts";
import type { SetLabels } from "./_set_labels.ts";
import type { InstrumentDescription, SetDescription, SetSnapshot } from "./messages.ts";

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

/** Makes points of one set's snapshots, for one exporter. */
export class SetPoints {
  readonly scope: string;
  readonly #history: SeriesHistory;
  readonly #sums: LabelSums;
  #labelsVersion = -1;
  #toldMs: number;

  /** @param toldMs up to when its values have been told, as zeros at first. */
  constructor(description: SetDescription, toldMs: number) {
    this.scope = description.scope;
    this.#history = new SeriesHistory(description);
    this.#sums = new LabelSums(description);
    this.#toldMs = toldMs;
  }

  /** Time of the last push, in ms since the epoch. */
  get toldMs(): number {
    return this.#toldMs;
  }

  /** Puts all points of a snapshot into requests. Deltas of nothing are left out. */
  push(
    whole: SetSnapshot,
    { labels, into, ...rest }: Omit<PointContext, "previousMs"> & {
      readonly labels: SetLabels;
      readonly into: RequestBatches;
    },
  ): void {
    const previousMs = this.#toldMs;
    const context = { ...rest, previousMs };
    const { description } = labels;
    const isRetold = description.isRetold;
    const snapshot = isRetold ? addUp(description, whole, this.#equalLabels(whole, labels)) : whole;
    const labelsOf = textOf(snapshot, labels);
    const history = this.#history;
    const past = history.past(snapshot, { previousMs, labelsOf });
    const groups = isRetold ? new Map() : this.#equalLabels(snapshot, labels);
    const sums = this.#sums.add(groups, { snapshot, history, past });
    const grouped = new Set([...groups.values()].flat());
    const attributesOf = (position: number) => labels.attributesOf(snapshot, position);
    const rows = [
      {
        rows: new Rows(snapshot.cells, history.cells, past),
        attributes: past.map((_, position) =>
          grouped.has(position) ? undefined : attributesOf(position)
        ),
      },
      ...sums.map(({ now, told, startMs, position }) => ({
        rows: new Rows(now, told, [{ startMs, firstCell: 0 }]),
        attributes: [attributesOf(position)],
      })),
    ];
    into.scope({ name: description.scope, version: "" });
    let offset = 0;
    for (const instrument of description.instruments) {
      const reader = new InstrumentReader(instrument, { offset, context });
      into.metric(reader.head);
      for (const each of rows) reader.tell(each.rows, each.attributes, into);
      offset += cellCount(instrument);
    }
    history.remember(snapshot, past);
    this.#toldMs = context.timeMs;
  }

  /** Looks only when there are labels that it has not seen, or sums that go on. */
  #equalLabels(snapshot: SetSnapshot, labels: SetLabels): Map<string, number[]> {
    const known = this.#sums.labels;
    const isSettled = labels.version === this.#labelsVersion && known.size === 0;
    if (isSettled && !labels.description.isRetold) return new Map();
    this.#labelsVersion = labels.version;
    return equalLabels(snapshot, textOf(snapshot, labels), known);
  }
}

function textOf(snapshot: SetSnapshot, labels: SetLabels): (position: number) => string {
  return (position) => JSON.stringify(labels.attributesOf(snapshot, position));
}

/** Cells of series as they are and as they were told. */
class Rows {
  readonly past: readonly SeriesPast[];
  readonly #now: { readonly cells: BigUint64Array; readonly floats: Float64Array };
  readonly #then: { readonly cells: BigUint64Array; readonly floats: Float64Array };
  readonly #rowCells: number;

  constructor(
    now: BigUint64Array<ArrayBuffer>,
    told: BigUint64Array<ArrayBuffer>,
    past: readonly SeriesPast[],
  ) {
    this.past = past;
    this.#now = { cells: now, floats: new Float64Array(now.buffer) };
    this.#then = { cells: told, floats: new Float64Array(told.buffer) };
    this.#rowCells = past.length === 0 ? 0 : now.length / past.length;
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

/** Makes the points of one instrument. */
class InstrumentReader {
  readonly head: MetricHead;
  readonly #instrument: InstrumentDescription;
  readonly #offset: number;
  readonly #context: PointContext;
  readonly #isDelta: boolean;
  readonly #isExponential: boolean;
  /** Those that are being told. */
  #rows = new Rows(new BigUint64Array(0), new BigUint64Array(0), []);

  constructor(
    instrument: InstrumentDescription,
    parts: { readonly offset: number; readonly context: PointContext },
  ) {
    this.#instrument = instrument;
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

  /** Puts the points of rows into requests; rows without attributes are told elsewhere. */
  tell(
    rows: Rows,
    attributes: readonly (Point["attributes"] | undefined)[],
    into: RequestBatches,
  ): void {
    this.#rows = rows;
    attributes.forEach((each, position) => {
      const value = each && this.#value(position);
      if (value === undefined) return;
      into.point({ attributes: each, ...this.#times(position), ...value } as Point);
    });
  }

  #times(position: number): { startMs?: number; timeMs: number } {
    const { timeMs, previousMs } = this.#context;
    if (this.#instrument.type === "gauge") return { timeMs };
    return { startMs: this.#isDelta ? previousMs : this.#rows.past[position].startMs, timeMs };
  }

  #value(position: number): Value {
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
