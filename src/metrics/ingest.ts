/** The three ways records enter a store. One implementation is generated, one interprets. */

/** A run of ring-buffer records: headers and samples as the kernel lays them out. */
export interface RingBatch {
  readonly view: DataView;
  /** Byte offsets of the first header and of the end; both multiples of 8. */
  readonly begin: number;
  readonly end: number;
}

/** Records at fixed distances: iterator output, or keys and values of a map read. */
export interface RowBatch {
  /** Segment 0: events or keys. */
  readonly view: DataView;
  readonly strideBytes: number;
  /** Segment 1: values; the same as `view` where there is no second segment. */
  readonly valueView: DataView;
  readonly valueStrideBytes: number;
  readonly count: number;
}

/** Feeds records into a series store. */
export interface Ingest {
  /**
   * Counts the committed records of a batch.
   * @returns the byte offset behind the last one: the end, or the first record that is still being
   *   written.
   */
  ring(batch: RingBatch): number;
  /** Counts rows as increments. */
  rows(batch: RowBatch): void;
  /** Counts what changed in rows that repeat totals. Between `beginPass` and `endPass` of the entries. */
  snapshot(batch: RowBatch): void;
}

/** Ring-buffer record header (linux/bpf.h): u32 length with these flags, u32 page offset. */
export const RING_HEADER_BYTES = 8;
export const RING_BUSY_BIT = 0x8000_0000;
export const RING_DISCARD_BIT = 0x4000_0000;
export const RING_LENGTH_MASK = 0x3fff_ffff;
