/** A data source's series seen as metrics: names, columns and label text. */

import {
  bytesToHex,
  type Field,
  type FieldFormatter,
  type FieldValue,
  isFloatKind,
  keyWordCount,
  keyWordsReader,
  type RecordBytes,
  type TextFormat,
  valueToText,
} from "../decode/mod.ts";
import { capLabelValue } from "./_label_text.ts";
import type { Exemplar, Instrument, MetricSet } from "./family.ts";
import type { KeyPlan, MetricsPlan } from "./plan.ts";
import type { SeriesMemory } from "./series_memory.ts";
import { OVERFLOW_SERIES } from "./series_store.ts";

/** What a metric set is made of. */
export interface MetricSetOptions {
  readonly scope: string;
  readonly plan: MetricsPlan;
  readonly memory: SeriesMemory;
  /** See {@linkcode MetricSet.startMs}. */
  readonly startMs?: number;
  /** See {@linkcode MetricSet.isRetold}. */
  readonly isRetold?: boolean;
  /** Text of fields with a format. */
  readonly formatters: ReadonlyMap<Field, FieldFormatter>;
}

/** The exporters' view of a data source's series. Live: nothing is copied until it is read. */
export function createMetricSet(options: MetricSetOptions): MetricSet {
  const { scope, plan, memory, startMs, isRetold = false } = options;
  const labels = new LabelReader(options);
  return {
    scope,
    ...(startMs !== undefined && { startMs }),
    labelNames: plan.keys.map((key) => key.label),
    instruments: plan.instruments.map((instrument, index): Instrument => ({
      type: instrument.type,
      name: instrument.name,
      description: instrument.description,
      unit: instrument.unit,
      isSlots: instrument.slots,
      column: () => memory.column(index),
      ...(plan.exemplar !== undefined && instrument.type !== "gauge" && !instrument.slots && {
        exemplar: (series) => labels.exemplar(series, index),
      }),
    })),
    isRetold,
    get seriesCount() {
      return memory.count;
    },
    isLive: (series) => memory.isLive(series),
    isOverflow: (series) => series === OVERFLOW_SERIES,
    labelValues: (series) => labels.read(series),
    generation: (series) => memory.generation(series),
    get changes() {
      return memory.changes;
    },
  };
}

interface ReadableKey {
  readonly key: KeyPlan;
  readonly read: ReturnType<typeof keyWordsReader>;
}

/** Turns key words back into values and text. */
class LabelReader {
  readonly #options: MetricSetOptions;
  readonly #keys: readonly ReadableKey[];
  readonly #exemplar: ReadableKey | undefined;
  /** Generation of each series that was counted as truncated: its labels may be read again. */
  readonly #truncated = new Map<number, number>();
  /** A record that holds nothing but one key field and its context, for formatters. */
  readonly #record: RecordBytes;

  constructor(options: MetricSetOptions) {
    this.#options = options;
    const { keys, exemplar, recordSizeBytes, valueSizeBytes } = options.plan;
    const readable = (key: KeyPlan) => ({ key, read: keyWordsReader(key.field) });
    this.#keys = keys.map(readable);
    this.#exemplar = exemplar && readable(exemplar.key);
    this.#record = {
      segments: [
        new DataView(new ArrayBuffer(recordSizeBytes)),
        new DataView(new ArrayBuffer(valueSizeBytes)),
      ],
      offsets: [0, 0],
    };
  }

  read(series: number): string[] {
    const start = this.#options.memory.keyAt(series);
    const { words } = this.#options.memory;
    const values = this.#keys.map((key) => this.#label(key, { words, start }));
    const capped = values.map(capLabelValue);
    if (capped.some((value, index) => value !== values[index])) this.#countTruncated(series);
    return capped;
  }

  #countTruncated(series: number): void {
    const { memory } = this.#options;
    const generation = memory.generation(series);
    if (this.#truncated.get(series) === generation) return;
    this.#truncated.set(series, generation);
    memory.stats.truncatedLabels++;
  }

  exemplar(series: number, instrument: number): Exemplar | undefined {
    if (this.#exemplar === undefined) return undefined;
    const found = this.#options.memory.exemplar(series, instrument);
    if (found === undefined) return undefined;
    const { words, unixMs, value } = found;
    const text = this.#label(this.#exemplar, { words, start: 0 });
    return { label: this.#exemplar.key.label, text, value, unixMs };
  }

  #label(
    { key, read }: ReadableKey,
    { words, start }: { words: Int32Array; start: number },
  ): string {
    const { formatters } = this.#options;
    const { field, context } = key;
    const formatter = isRounded(field.format) ? undefined : formatters.get(field);
    if (formatter === undefined) {
      const first = start + key.firstWord;
      const value = read(words, first);
      const text = valueToText(value, field.kind);
      return text + hiddenBytes(field, value, words.subarray(first, first + keyWordCount(field)));
    }
    for (const part of [key, ...context]) {
      const first = start + part.firstWord;
      this.#restore(part.field, words.subarray(first, first + keyWordCount(part.field)));
    }
    return formatter(this.#record);
  }

  /** Puts a field's bytes where formatters look for them. */
  #restore(field: Field, words: Int32Array): void {
    const view = this.#record.segments[field.segment];
    if (view === undefined) throw new Error("BUG: key in a segment that does not exist");
    if (field.bitSize > 0) {
      const bits = BigInt.asUintN(64, BigInt(words[0] >>> 0) | BigInt(words[1] ?? 0) << 32n);
      const unit = BigInt.asUintN(field.bitSize, bits) << BigInt(field.bitOffset);
      writeBytes(view, field, new Uint8Array(new BigUint64Array([unit]).buffer));
      return;
    }
    writeBytes(view, field, new Uint8Array(words.slice().buffer));
  }
}

/** Texts that people read and many values share: as labels they would make series the same. */
function isRounded(format: TextFormat | undefined): boolean {
  return format?.type === "bytes" || (format?.type === "timestamp" && format.layout !== undefined);
}

/**
 * What the text of a value leaves out: NaN has many forms, 0.0 has two signs, and true many bytes.
 * Two series must not have the same labels, so there the bytes stand behind a colon.
 */
function hiddenBytes(field: Field, value: FieldValue, words: Int32Array): string {
  const isBoolArray = field.kind === "bool" && field.arrayLength > 0;
  if (!isBoolArray && !isFloatKind(field.kind)) return "";
  // A NaN that was read keeps its form, and −0 + 0 is 0.
  const elements = (Array.isArray(value) ? value : [value]).map(Number)
    .map((element) => Number.isNaN(element) ? NaN : element + 0);
  const plain = isBoolArray
    ? Uint8Array.from(elements)
    : field.kind === "float32"
    ? Float32Array.from(elements)
    : Float64Array.from(elements);
  const said = new Uint8Array(plain.buffer);
  const bytes = new Uint8Array(words.slice().buffer, 0, said.length);
  return said.every((byte, index) => byte === bytes[index]) ? "" : `:${bytesToHex(bytes)}`;
}

function writeBytes(view: DataView, field: Field, bytes: Uint8Array): void {
  const target = new Uint8Array(view.buffer, field.offsetBytes, field.sizeBytes);
  target.set(bytes.subarray(0, field.sizeBytes));
}
