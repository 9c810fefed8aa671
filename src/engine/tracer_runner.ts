/** Events from a buffer: counted in place, shown if wanted. */

import { type FilterTerm, matchesFilter, type RecordBytes } from "../decode/mod.ts";
import type { DataSourceSpec } from "../gadget/mod.ts";
import {
  RING_BUSY_BIT,
  RING_DISCARD_BIT,
  RING_HEADER_BYTES,
  RING_LENGTH_MASK,
} from "../metrics/mod.ts";
import type { EventBuffer, RingLease } from "../sources/mod.ts";
import type { RowView } from "../view/mod.ts";
import type { Collector } from "./collector.ts";
import type { Drainable } from "./event_pump.ts";
import type { LostSamples } from "./lost_samples.ts";
import type { Formatters } from "./run_options.ts";
import { NEVER, type Runner } from "./runner.ts";

/** Parts of a tracer. */
export interface TracerOptions {
  readonly buffer: EventBuffer;
  /** The gadget's own loss counter, if it has one. */
  readonly lostSamples?: LostSamples;
  readonly collector?: Collector;
  /** Present if rows are shown. */
  readonly view?: RowView;
  readonly filter: readonly FilterTerm[];
  readonly formatters: Formatters;
  readonly write: (text: string) => void;
}

/** A data source over an event buffer. */
export class TracerRunner implements Runner, Drainable {
  readonly spec: DataSourceSpec;
  readonly collector?: Collector;
  readonly finished = NEVER;
  readonly fds: readonly number[];
  readonly sizeBytes: number;
  readonly #options: TracerOptions;
  /** Records seen, where no collector counts them. */
  #shown = 0;
  #text = "";
  #words: Int32Array = new Int32Array(0);
  readonly #process: (lease: RingLease) => number;

  constructor(spec: DataSourceSpec, options: TracerOptions) {
    this.spec = spec;
    this.collector = options.collector;
    this.fds = options.buffer.fds;
    this.sizeBytes = options.buffer.sizeBytes;
    this.#options = options;
    this.#process = this.#choose();
  }

  get received(): number {
    return this.collector?.store.memory.stats.received ?? this.#shown;
  }

  lost(): number {
    const { buffer, lostSamples } = this.#options;
    return buffer.lost + (lostSamples?.read() ?? 0);
  }

  /** Counting alone must not pay for showing. */
  #choose(): (lease: RingLease) => number {
    const { collector, view } = this.#options;
    if (collector === undefined) return (lease) => this.#show(lease, lease.end);
    if (view === undefined) return (lease) => collector.ingest.ring(lease);
    return (lease) => this.#show(lease, collector.ingest.ring(lease));
  }

  /** One ring's worth at most, so that other work gets its turn. */
  drain(): number {
    const consumed = this.#options.buffer.withLeases(this.#process, this.sizeBytes);
    if (this.#text !== "") {
      this.#options.write(this.#text);
      this.#text = "";
    }
    return consumed;
  }

  /** Shows the records up to `end`. @returns the offset behind the last committed one. */
  #show({ view, begin }: RingLease, end: number): number {
    const { filter, formatters, view: rows } = this.#options;
    const record: RecordBytes = { segments: [view], offsets: [0, 0] };
    const words = this.#wordsOf(view);
    let at = begin;
    while (at < end) {
      // Acquires: what the header says is complete must be read after it, on any processor.
      const header = Atomics.load(words, at >> 2);
      if ((header & RING_BUSY_BIT) !== 0) break;
      const length = header & RING_LENGTH_MASK;
      const start = at + RING_HEADER_BYTES;
      at = start + (length + 7 & -8);
      if ((header & RING_DISCARD_BIT) !== 0) continue;
      this.#shown++;
      if (rows === undefined) continue;
      record.offsets[0] = start;
      const whole = length >= this.spec.recordSizeBytes
        ? record
        : this.#padded(view, { start, length });
      if (matchesFilter(filter, whole, formatters)) this.#text += rows.row(whole);
    }
    return at;
  }

  /** The same memory as words; made once, since a buffer lends the same view again and again. */
  #wordsOf(view: DataView): Int32Array {
    if (this.#words.buffer !== view.buffer) {
      this.#words = new Int32Array(view.buffer, view.byteOffset, view.byteLength >> 2);
    }
    return this.#words;
  }

  /** A copy of a short record with zeros behind it. */
  #padded(view: DataView, sample: { start: number; length: number }): RecordBytes {
    const bytes = new Uint8Array(this.spec.recordSizeBytes);
    bytes.set(new Uint8Array(view.buffer, view.byteOffset + sample.start, sample.length));
    return { segments: [new DataView(bytes.buffer)], offsets: [0, 0] };
  }

  refresh(): void {
    this.drain();
  }

  close(): void {
    this.#options.buffer.close();
  }
}
