// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { RING_DISCARD_BIT, RING_HEADER_BYTES, RING_LENGTH_MASK } from "../../../src/metrics/mod.ts";
import {
  openEventReader,
  type RingLease,
  RowPipe,
  RowPipeWriter,
} from "../../../src/sources/mod.ts";
import { ringOf } from "../metrics/batches.ts";
import { words64 } from "../metrics/plans.ts";

/** Numbers of the records in a lease, discarded ones left out. */
function numbersOf({ view, begin, end }: RingLease): bigint[] {
  const numbers: bigint[] = [];
  for (let at = begin; at < end;) {
    const header = view.getUint32(at, true);
    if ((header & RING_DISCARD_BIT) === 0) {
      numbers.push(view.getBigUint64(at + RING_HEADER_BYTES, true));
    }
    at += RING_HEADER_BYTES + ((header & RING_LENGTH_MASK) + 7 & -8);
  }
  return numbers;
}

function openPipe(sizeBytes: number) {
  const pipe = new RowPipe(sizeBytes);
  const writer = new RowPipeWriter(pipe.handle);
  const reader = openEventReader(pipe.handle);
  return {
    write: (numbers: readonly bigint[]) =>
      writer.write(ringOf(numbers.map((number) => ({ bytes: words64(number) })), 24)),
    read: () => {
      const numbers: bigint[] = [];
      reader.withLeases((lease) => {
        numbers.push(...numbersOf(lease));
        return lease.end;
      }, Infinity);
      return numbers;
    },
    lost: () => reader.lost,
    [Symbol.dispose]: () => pipe.close(),
  };
}

Deno.test("records come out in their order, whatever their pieces, also around the end", () => {
  using pipe = openPipe(256);
  let next = 0n;
  for (let round = 0; round < 200; round++) {
    // 16 bytes a record; pieces of up to 7 do not divide the 256 bytes evenly.
    const sent = Array.from({ length: 1 + round % 7 }, () => next++);
    pipe.write(sent);
    assertEquals(pipe.read(), sent);
  }
  assertEquals(pipe.lost(), 0);
});

Deno.test("a piece that finds no room is left out whole, and its records are counted", () => {
  using pipe = openPipe(128);
  pipe.write([1n, 2n, 3n, 4n, 5n]);
  pipe.write([6n, 7n, 8n, 9n]);
  pipe.write([10n, 11n]);
  assertEquals(pipe.lost(), 4);
  assertEquals(pipe.read(), [1n, 2n, 3n, 4n, 5n, 10n, 11n]);
  pipe.write([12n, 13n, 14n]);
  assertEquals([pipe.read(), pipe.lost()], [[12n, 13n, 14n], 4]);
});
