/** Lays records out as ring buffers and map reads do. */

import {
  RING_BUSY_BIT,
  RING_DISCARD_BIT,
  RING_HEADER_BYTES,
  type RingBatch,
  type RowBatch,
} from "../../../src/metrics/mod.ts";

/** One record of a ring. */
export interface RingRecord {
  readonly bytes: Uint8Array;
  readonly state?: "committed" | "busy" | "discarded";
}

/** A ring that holds the records, `begin` bytes into it; `noise` is in all bytes that are not theirs. */
export function ringOf(records: readonly RingRecord[], begin = 0, noise = 0): RingBatch {
  const sizes = records.map(({ bytes }) => RING_HEADER_BYTES + (bytes.length + 7 & -8));
  const end = sizes.reduce((sum, size) => sum + size, begin);
  // The buffer begins elsewhere than the view, as a mapping of a ring with its pages does.
  const view = new DataView(new ArrayBuffer(end + 24), 16);
  const target = new Uint8Array(view.buffer, 16);
  new Uint8Array(view.buffer).fill(noise);
  let at = begin;
  records.forEach(({ bytes, state }, index) => {
    const flags = state === "busy" ? RING_BUSY_BIT : state === "discarded" ? RING_DISCARD_BIT : 0;
    view.setUint32(at, (bytes.length | flags) >>> 0, true);
    view.setUint32(at + 4, 0xdead, true);
    target.set(bytes, at + RING_HEADER_BYTES);
    at += sizes[index];
  });
  return { view, begin, end };
}

/** One row: an event, or a map's key and value. */
export interface Row {
  readonly key: Uint8Array;
  readonly value?: Uint8Array;
}

/** Rows at fixed distances; `slackBytes` lie between them. */
export function rowsOf(rows: readonly Row[], slackBytes = 0): RowBatch {
  const keys = placeRows(rows.map(({ key }) => key), slackBytes);
  const values = placeRows(rows.map(({ value }) => value ?? new Uint8Array(0)), slackBytes);
  return {
    view: keys.view,
    strideBytes: keys.strideBytes,
    valueView: values.view,
    valueStrideBytes: values.strideBytes,
    count: rows.length,
  };
}

function placeRows(
  rows: readonly Uint8Array[],
  slackBytes: number,
): { view: DataView; strideBytes: number } {
  const strideBytes = (rows[0]?.length ?? 0) + slackBytes;
  const offset = 3;
  const buffer = new Uint8Array(offset + rows.length * strideBytes + 8).fill(0xa5);
  rows.forEach((row, index) => buffer.set(row, offset + index * strideBytes));
  return { view: new DataView(buffer.buffer, offset), strideBytes };
}
