// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import type { RecordBytes } from "../../../src/decode/mod.ts";
import { copyRecords, lendRecords } from "../../../src/operators/record_copies.ts";

/** A record in the middle of memory that others have too. */
function recordAt(offset: number, bytes: readonly number[]): { view: DataView; offset: number } {
  const memory = new Uint8Array(64).fill(0xff);
  memory.set(bytes, 8 + offset);
  return { view: new DataView(memory.buffer, 8), offset };
}

function bytesOf({ segments, offsets }: RecordBytes, sizes: readonly number[]): number[][] {
  return segments.map((view, segment) =>
    Array.from({ length: sizes[segment] }, (_, at) => view.getUint8(offsets[segment] + at))
  );
}

Deno.test("events come back as they were lent", () => {
  const sizes = { recordSizeBytes: 3, valueSizeBytes: 0 };
  const lent = [[1, 2, 3], [4, 5, 6]].map((bytes, index): RecordBytes => {
    const { view, offset } = recordAt(5 * index, bytes);
    return { segments: [view], offsets: [offset, 0] };
  });
  const copies = structuredClone(copyRecords(lent, sizes));
  const found = [...lendRecords(copies, sizes)].length;
  const read: number[][][] = [];
  for (const record of lendRecords(copies, sizes)) read.push(bytesOf(record, [3]));
  assertEquals([found, read], [2, [[[1, 2, 3]], [[4, 5, 6]]]]);
});

Deno.test("entries of maps come back with their values", () => {
  const sizes = { recordSizeBytes: 2, valueSizeBytes: 1 };
  const lent = [1, 2, 3].map((number): RecordBytes => {
    const key = recordAt(number, [number, 0]);
    const value = recordAt(2 * number, [10 * number]);
    return { segments: [key.view, value.view], offsets: [key.offset, value.offset] };
  });
  const read: number[][][] = [];
  for (const record of lendRecords(copyRecords(lent, sizes), sizes)) {
    read.push(bytesOf(record, [2, 1]));
  }
  assertEquals(read, [[[1, 0], [10]], [[2, 0], [20]], [[3, 0], [30]]]);
});
