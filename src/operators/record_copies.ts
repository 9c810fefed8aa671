/** Records on their way to another thread. */

import type { RecordBytes } from "../decode/mod.ts";

/** Records one behind the other, by segment. Posting it gives the memory away. */
export interface RecordCopies {
  readonly count: number;
  /** Events, or keys: `count` × the record's size. */
  readonly records: Uint8Array<ArrayBuffer>;
  /** Values of map entries; empty for others. */
  readonly values: Uint8Array<ArrayBuffer>;
}

/** Sizes of a record's segments in bytes. */
export interface RecordSizes {
  readonly recordSizeBytes: number;
  readonly valueSizeBytes: number;
}

/** Copies lent records. */
export function copyRecords(
  lent: readonly RecordBytes[],
  { recordSizeBytes, valueSizeBytes }: RecordSizes,
): RecordCopies {
  return {
    count: lent.length,
    records: copySegment(lent, { segment: 0, sizeBytes: recordSizeBytes }),
    values: copySegment(lent, { segment: 1, sizeBytes: valueSizeBytes }),
  };
}

function copySegment(
  lent: readonly RecordBytes[],
  { segment, sizeBytes }: { segment: 0 | 1; sizeBytes: number },
): Uint8Array<ArrayBuffer> {
  const copies = new Uint8Array(lent.length * sizeBytes);
  if (sizeBytes === 0) return copies;
  lent.forEach(({ segments, offsets }, index) => {
    const view = segments[segment];
    if (view === undefined) throw new Error("BUG: a record without its value");
    const start = view.byteOffset + offsets[segment];
    copies.set(new Uint8Array(view.buffer, start, sizeBytes), index * sizeBytes);
  });
  return copies;
}

/** Lends the records, by one cursor. */
export function* lendRecords(
  { count, records, values }: RecordCopies,
  { recordSizeBytes, valueSizeBytes }: RecordSizes,
): Generator<RecordBytes, void, undefined> {
  const key = new DataView(records.buffer);
  const segments: RecordBytes["segments"] = valueSizeBytes === 0
    ? [key]
    : [key, new DataView(values.buffer)];
  const cursor: RecordBytes = { segments, offsets: [0, 0] };
  for (let index = 0; index < count; index++) {
    cursor.offsets[0] = index * recordSizeBytes;
    cursor.offsets[1] = index * valueSizeBytes;
    yield cursor;
  }
}
