/** Events from a buffer for those who want rows; counted elsewhere, if at all. */

import { type FilterTerm, matchesFilter, type RecordBytes } from "../decode/mod.ts";
import type { DataSourceSpec } from "../gadget/mod.ts";
import {
  RING_BUSY_BIT,
  RING_DISCARD_BIT,
  RING_HEADER_BYTES,
  RING_LENGTH_MASK,
} from "../metrics/mod.ts";
import type { Subscriber } from "../operators/mod.ts";
import {
  type EventBuffer,
  type EventReader,
  openEventReader,
  type RingLease,
} from "../sources/mod.ts";
import type { PumpSource } from "./event_pump.ts";
import { type Losses, type LostSamples, sumLosses } from "./lost_samples.ts";
import type { Formatters } from "./run_options.ts";
import { NEVER, type Runner, type Subscription } from "./runner.ts";

/** Parts of a tracer. */
export interface TracerOptions {
  readonly buffer: EventBuffer;
  /** The gadget's own loss counter, if it has one. */
  readonly lostSamples?: LostSamples;
  /** Who takes rows from the start. */
  readonly subscribers: readonly Subscriber[];
  readonly filter: readonly FilterTerm[];
  readonly formatters: Formatters;
  /** Is told at intervals what is lost by now, and what was when it was told before. */
  readonly onLost: (losses: Losses, told: Losses) => void;
}

const TELL_LOST_MS = 1000;
/** Records that are handed on at once, at most. */
const BATCH_RECORDS = 1024;

/** A data source over an event buffer. */
export class TracerRunner implements Runner, PumpSource {
  readonly spec: DataSourceSpec;
  readonly finished = NEVER;
  readonly fds: readonly number[];
  readonly sizeBytes: number;
  readonly isPaced: boolean;
  readonly #options: TracerOptions;
  readonly #reader: EventReader;
  #taken = 0;
  #toldLost: Losses = {};
  #toldAtMs = -Infinity;
  readonly #subscribers: Set<Subscriber>;
  #words: Int32Array = new Int32Array(0);

  constructor(spec: DataSourceSpec, options: TracerOptions) {
    this.spec = spec;
    this.fds = options.buffer.fds;
    this.#options = options;
    this.#subscribers = new Set(options.subscribers);
    this.#reader = openEventReader(options.buffer.handle);
    this.sizeBytes = this.#reader.sizeBytes;
    this.isPaced = this.#reader.isPaced;
  }

  get received(): number {
    return this.#taken;
  }

  lost(): Losses {
    return sumLosses(this.#reader.lost, this.#options.lostSamples);
  }

  /** One buffer's worth at most, so that other work gets its turn. */
  drain(): number {
    const consumed = this.#reader.withLeases((lease) => this.#take(lease), this.sizeBytes);
    this.tellLost();
    return consumed;
  }

  tellLost({ pauseMs } = { pauseMs: TELL_LOST_MS }): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldAtMs < pauseMs) return;
    this.#toldAtMs = nowMs;
    const lost = this.lost();
    this.#options.onLost(lost, this.#toldLost);
    this.#toldLost = lost;
  }

  rest(): void {
    this.#reader.rest();
  }

  /** @returns the offset behind the last committed record. */
  #take({ view, begin, end }: RingLease): number {
    const { filter, formatters } = this.#options;
    const cursor: RecordBytes = { segments: [view], offsets: [0, 0] };
    let records: RecordBytes[] = [];
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
      this.#taken++;
      if (this.#subscribers.size === 0) continue;
      cursor.offsets[0] = start;
      const whole = length >= this.spec.recordSizeBytes
        ? cursor
        : this.#padded(view, { start, length });
      if (!matchesFilter(filter, whole, formatters)) continue;
      records.push(whole === cursor ? { segments: [view], offsets: [start, 0] } : whole);
      if (records.length < BATCH_RECORDS) continue;
      this.#handOn(records);
      records = [];
    }
    this.#handOn(records);
    return at;
  }

  #handOn(records: readonly RecordBytes[]): void {
    if (records.length === 0) return;
    for (const subscriber of this.#subscribers) void subscriber.take(records);
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

  /** True if somebody takes rows. */
  get isWatched(): boolean {
    return this.#subscribers.size > 0;
  }

  subscribe(subscriber: Subscriber): Subscription {
    this.#subscribers.add(subscriber);
    return { finished: NEVER, stop: () => void this.#subscribers.delete(subscriber) };
  }

  /** Then events wait in their buffer. */
  get isFull(): boolean {
    return this.isWatched &&
      [...this.#subscribers].every((subscriber) => subscriber.isFull?.() ?? false);
  }

  refresh(): void {
    if (!this.isFull) this.drain();
  }

  close(): void {
    this.tellLost({ pauseMs: 0 });
    this.#options.buffer.close();
  }

  abandon(): void {
    this.close();
  }
}
