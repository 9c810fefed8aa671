// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import type { RecordBytes } from "../../../src/decode/mod.ts";
import { UsageError } from "../../../src/errors.ts";
import { compareValues } from "../../../src/view/record_order.ts";
import { createRowView } from "../../../src/view/mod.ts";
import { sampleEvents } from "./_sample_events.ts";

const ROWS = sampleEvents([
  { name: "id", kind: "uint8" },
  { name: "comm", kind: "cstring", sizeBytes: 8 },
  { name: "count", kind: "uint64" },
  { name: "load", kind: "float64" },
  { name: "error", kind: "uint32", format: { type: "errno" } },
  { name: "size", kind: "uint64", format: { type: "bytes" } },
  { name: "wide", kind: "int128" },
], [
  { id: 1, comm: "b", count: 2n ** 63n, load: 1, error: 1, size: 900n, wide: -1n },
  { id: 2, comm: "a", count: 5n, load: NaN, error: 2, size: 1000n, wide: 2n ** 100n },
  { id: 3, comm: "b", count: 2n ** 63n + 1n, load: -2, error: 13, size: 20_000n, wide: 3n },
  { id: 4, comm: "a", count: 5n, load: 1, error: 0, size: 3n, wide: -(2n ** 100n) },
]);

/** One cursor that moves, as the engine has it. */
function* moving(): Generator<RecordBytes> {
  const sizeBytes = ROWS.records[0].segments[0].byteLength;
  const all = new Uint8Array(sizeBytes * ROWS.records.length);
  const cursor: RecordBytes = { segments: [new DataView(all.buffer)], offsets: [0, 0] };
  ROWS.records.forEach(({ segments }, i) =>
    all.set(new Uint8Array(segments[0].buffer), i * sizeBytes)
  );
  for (const [i, record] of ROWS.records.entries()) {
    cursor.offsets[0] = i * sizeBytes + record.offsets[0];
    yield cursor;
  }
}

const ORDERS: readonly [sort: string, maxEntries: number | undefined, ids: number[]][] = [
  ["", undefined, [1, 2, 3, 4]],
  ["", 2, [1, 2]],
  ["", 0, []],
  ["", -1, [1, 2, 3, 4]],
  ["count", undefined, [2, 4, 1, 3]],
  ["-count", undefined, [3, 1, 2, 4]],
  ["-count", 3, [3, 1, 2]],
  ["comm,-count", undefined, [2, 4, 3, 1]],
  ["comm,-id", undefined, [4, 2, 3, 1]],
  ["load", undefined, [2, 3, 1, 4]],
  ["-load", undefined, [1, 4, 3, 2]],
  ["error", undefined, [4, 3, 2, 1]],
  ["-size", undefined, [3, 2, 1, 4]],
  ["wide", undefined, [4, 1, 3, 2]],
];
for (const [sort, maxEntries, ids] of ORDERS) {
  Deno.test(`--sort "${sort}" --max-entries ${maxEntries} shows rows ${ids}`, () => {
    const view = createRowView("json", {
      ...ROWS,
      sort,
      maxEntries,
      selection: "id",
      widthColumns: () => 80,
      isTty: false,
    });
    assertEquals(JSON.parse(view.rows(moving())), ids.map((id) => ({ id })));
  });
}

Deno.test("without --sort the busiest come first, if somebody says which these are", () => {
  const options = { ...ROWS, selection: "id", widthColumns: () => 80, isTty: false };
  const busiest = ROWS.fields.find(({ name }) => name === "size");
  const ids = (sort?: string) =>
    JSON.parse(createRowView("json", { ...options, busiest, sort }).rows(moving()))
      .map(({ id }: { id: number }) => id);
  assertEquals([ids(), ids("id")], [[3, 2, 1, 4], [1, 2, 3, 4]]);
});

Deno.test("sorting by an unknown field is refused", () => {
  assertThrows(
    () =>
      createRowView("columns", { ...ROWS, sort: "-cout", widthColumns: () => 80, isTty: false }),
    UsageError,
    'Unknown field "cout"',
  );
});

Deno.test("values have one strict order, lists by their elements", () => {
  const ascending = [NaN, -1, 0, 2];
  const lists = [[], [1], [1, 0], [2]];
  for (const values of [ascending, lists]) {
    values.forEach((a, i) =>
      values.forEach((b, j) => assertEquals(Math.sign(compareValues(a, b)), Math.sign(i - j)))
    );
  }
  assertEquals(compareValues(Uint8Array.of(1, 2), Uint8Array.of(1, 3)) < 0, true);
});
