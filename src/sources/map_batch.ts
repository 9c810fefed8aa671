/** What a read of a map lends. */

/** Entries of one batch, lent until the callback returns. */
export interface MapBatch {
  /** Map keys in a row. */
  readonly keys: DataView;
  /** Values in a row, `valueStrideBytes` of the reader apart. */
  readonly values: DataView;
  readonly count: number;
}
