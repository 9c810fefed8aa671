/** What reads events: from a ring buffer, or from what looks like one. */

/**
 * Committed records, lent: dead as soon as the callback returns.
 *
 * Layout: as in a ring buffer, each record has an 8-byte header (u32 length with flags, u32 unused),
 * then its bytes, padded to 8.
 */
export interface RingLease {
  readonly view: DataView;
  /** Byte offsets into `view` of the first record header and of the end. */
  readonly begin: number;
  readonly end: number;
}

/** Reads events. A buffer has one reader, in whatever thread. */
export interface EventReader {
  /** Room for records that wait; of one CPU, if each has its own. */
  readonly sizeBytes: number;
  /** True if who writes wakes the reader once for many records. */
  readonly isPaced: boolean;
  /** Events that the kernel dropped, where the buffer itself tells; others count in the gadget. */
  readonly lost: number;
  /**
   * Lends the records that wait, in pieces, until none is left or about `maxBytes` are consumed.
   * @param process handles one piece and returns the offset behind the last record it took: short of
   *   the end only if a record there is still being written.
   * @returns bytes consumed.
   */
  withLeases(process: (lease: RingLease) => number, maxBytes: number): number;
  /**
   * Tells the kernel to wake the reader for the next record: to be called before he waits. Until
   * then nobody wakes him, since waking costs the producer more than the event.
   */
  rest(): void;
}
