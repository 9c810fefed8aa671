/** Every type of metric for every numeric type, checked against the formula that the gadget documents. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { type BucketCounts, expectHistogram } from "./expected_histogram.ts";
import {
  fixture,
  type HistogramValue,
  kernelFixture,
  kernelTest,
  type SeriesValues,
  startGadget,
} from "./harness.ts";
import { runTool } from "./oracles.ts";

const KEYS = 4;
const BOUNDS = [1, 3, 10, 50];
const SIGNED = ["s8", "s16", "s32", "s64"] as const;
const UNSIGNED = ["u8", "u16", "u32", "u64"] as const;
const INTEGERS = [...SIGNED, ...UNSIGNED];
const FLOATS = ["float", "double"] as const;

/** Numbers i of `fill { n }` that belong to a key. */
function numbersOf(key: number, n: number): number[] {
  return Array.from({ length: n }, (_, i) => i).filter((i) => i % KEYS === key);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

kernelTest("events: counters, gauges and histograms of every numeric type are exact", async () => {
  const n = 1000;
  await using gadget = await startGadget(await fixture("all_metrics"));
  await gadget.run("fill", [n]);
  const metrics = await gadget.metrics("events");
  assertEquals([...metrics.keys()].sort(), ["0|key0", "1|key1", "2|key2", "3|key3"]);
  for (let key = 0; key < KEYS; key++) {
    assertEquals(metrics.get(`${key}|key${key}`), expectedEvents(numbersOf(key, n)));
  }
});

function expectedEvents(numbers: readonly number[]): SeriesValues {
  const last = numbers[numbers.length - 1] % 7;
  const expected: SeriesValues = { seen: BigInt(numbers.length) };
  for (const type of INTEGERS) {
    expected[`counter_${type}`] = BigInt(sum(numbers.map((i) => i % 7)));
    expected[`gauge_${type}`] = BigInt(type.startsWith("s") ? -last : last);
    expected[`histogram_${type}`] = expectHistogram(numbers.map((i) => i % 100), BOUNDS);
  }
  for (const type of FLOATS) {
    expected[`counter_${type}`] = sum(numbers.map((i) => i % 7 + 0.5));
    expected[`gauge_${type}`] = -(last + 0.5);
    expected[`histogram_${type}`] = expectHistogram(numbers.map((i) => i % 7 + 0.5), BOUNDS);
  }
  return expected;
}

kernelTest("events: C types alone make metrics, also through a private typedef", async () => {
  const n = 1000;
  await using gadget = await startGadget(await fixture("all_metrics"));
  await gadget.run("fill", [n]);
  const metrics = await gadget.metrics("typed");
  for (let key = 0; key < KEYS; key++) {
    const numbers = numbersOf(key, n);
    const last = BigInt(numbers[numbers.length - 1]);
    assertEquals(metrics.get(String(key)), {
      counter32: BigInt(numbers.length),
      counter64: BigInt(10 * numbers.length),
      private_counter: BigInt(10 * numbers.length),
      gauge32: last,
      gauge64: last,
      slots32: expectedSlots(numbers),
      slots64: expectedSlots(numbers),
    });
  }
});

/** Upper bounds of 8 slots: slot s holds [2^(s-1), 2^s - 1], the last one all above. */
const SLOT_BOUNDS = [0, 1, 3, 7, 15, 31, 63];
/** What one count of each slot adds to an estimated sum. */
const SLOT_MIDDLES = [0, 1, 2.5, 5.5, 11.5, 23.5, 47.5, 64];

function expectedSlots(numbers: readonly number[]): HistogramValue {
  const slots = expectHistogram(numbers, SLOT_BOUNDS);
  const middleOf = (bound: string) => SLOT_MIDDLES[bound === "+Inf" ? 7 : slotOf(Number(bound))];
  const estimate = Object.entries(slots.buckets)
    .map(([bound, count]) => Number(count) * middleOf(bound));
  return { ...slots, sum: sum(estimate) };
}

function slotOf(bound: number): number {
  return SLOT_BOUNDS.indexOf(bound);
}

/**
 * A counter that follows a total of a C type. An unsigned one goes around and loses nothing, since
 * less than half of its range comes between two reads; a signed one that is below zero is refused.
 */
class FollowedCounter {
  readonly #width: number;
  readonly #signed: boolean;
  #last = 0n;
  value = 0n;
  refused = 0;

  constructor(type: typeof INTEGERS[number]) {
    this.#width = Number(type.slice(1));
    this.#signed = type.startsWith("s");
  }

  follow(total: number): void {
    const seen = this.wrap(total);
    if (!this.#signed) this.value += BigInt.asUintN(this.#width, seen - this.#last);
    else if (seen < 0n) this.refused++;
    else this.value += this.#last >= 0n ? seen - this.#last : seen;
    this.#last = seen;
  }

  wrap(total: number): bigint {
    return this.#signed
      ? BigInt.asIntN(this.#width, BigInt(total))
      : BigInt.asUintN(this.#width, BigInt(total));
  }
}

kernelTest(
  "maps: metrics of every numeric type follow the totals, also around their ends",
  async () => {
    const n = 160;
    const fills = 5;
    await using gadget = await startGadget(await fixture("all_metrics"));
    const counters = Array.from(
      { length: KEYS },
      () => INTEGERS.map((type) => [type, new FollowedCounter(type)] as const),
    );
    const observed = Array.from({ length: KEYS }, () => new Map<string, number[]>());
    for (let fill = 1; fill <= fills; fill++) {
      await gadget.run("fill", [n]);
      const metrics = await gadget.metrics("entries");
      for (let key = 0; key < KEYS; key++) {
        const expected = expectedEntry({ key, n, fill }, counters[key], observed[key]);
        assertEquals(metrics.get(String(key)), expected, `key ${key}, fill ${fill}`);
      }
    }
    const refused = sum(counters.flat().map(([, counter]) => counter.refused));
    assertEquals(refused > 0, true, "the test must reach negative totals");
    assertEquals(gadget.stats("entries").decodeErrors.negative_counter, refused);
  },
);

/** Totals of the entry after the fill; a histogram of a plain value observes it once per read. */
function expectedEntry(
  { key, n, fill }: { key: number; n: number; fill: number },
  counters: readonly (readonly [string, FollowedCounter])[],
  observed: Map<string, number[]>,
): SeriesValues {
  const numbers = numbersOf(key, n);
  const perFill = sum(numbers.map((i) => i % 7));
  const last = numbers[numbers.length - 1] % 7;
  const expected: SeriesValues = {};
  const observe = (type: string, value: number) => {
    observed.set(type, [...observed.get(type) ?? [], value]);
    return expectHistogram(observed.get(type) ?? [], BOUNDS);
  };
  for (const [type, counter] of counters) {
    counter.follow(perFill * fill);
    const sign = type.startsWith("s") ? -1 : 1;
    const total = sum(numbers.map((i) => i % 100)) * fill;
    expected[`entry_counter_${type}`] = counter.value;
    expected[`entry_gauge_${type}`] = counter.wrap(sign * perFill * fill);
    expected[`entry_histogram_${type}`] = observe(type, Number(counter.wrap(total)));
  }
  for (const type of FLOATS) {
    // The gadget sets floats, it does not add: the first fill counts, later ones change nothing.
    expected[`entry_counter_${type}`] = last + 0.5;
    expected[`entry_gauge_${type}`] = -(last + 0.5);
    expected[`entry_histogram_${type}`] = observe(type, last + 0.5);
  }
  return expected;
}

kernelTest("maps: slot arrays are whole histograms, with true or estimated sums", async () => {
  const n = 3000;
  await using gadget = await startGadget(await fixture("all_metrics"));
  for (let fill = 1; fill <= 3; fill++) {
    await gadget.run("fill", [n]);
    const metrics = await gadget.metrics("slots");
    for (let key = 0; key < KEYS; key++) {
      const numbers = Array.from({ length: fill }, () => numbersOf(key, n)).flat();
      const estimated = expectedSlots(numbers);
      const bounded: BucketCounts = expectHistogram(numbers, [10, 100, 1000]).buckets;
      const values = metrics.get(String(key)) as Record<string, HistogramValue>;
      assertEquals(values.map_slots32, estimated);
      assertEquals(values.map_slots64, { ...estimated, sum: sum(numbers) });
      assertEquals(values.plain32, estimated);
      assertEquals(values.plain64, estimated);
      assertEquals(values.bounded.buckets, bounded);
    }
  }
});

kernelTest("a read that finds nothing new changes nothing", async () => {
  await using gadget = await startGadget(await fixture("all_metrics"));
  await gadget.run("fill", [100]);
  const dataSources = ["events", "typed", "entries", "slots"];
  const allMetrics = () => Promise.all(dataSources.map((name) => gadget.metrics(name)));
  const first = await allMetrics();
  const second = await allMetrics();
  assertEquals(second, first);
});

const TWO_53 = 1n << 53n;
const TWO_64 = 1n << 64n;

kernelTest("events: counters and gauges are exact beyond 2^53", async () => {
  await using gadget = await startGadget(await kernelFixture("big_numbers"));
  const numbers = [TWO_53, 1n, TWO_53 + 1n, (1n << 62n) + 1n];
  let total = 0n;
  for (const number of numbers) {
    await gadget.run("send", [number]);
    total += number;
    const values = (await gadget.metrics("events")).get("");
    assertEquals(values?.unsigned_counter, total);
    assertEquals(values?.signed_counter, total);
    assertEquals(values?.unsigned_gauge, number);
    assertEquals(values?.signed_gauge, number);
  }
  assertEquals(((await gadget.metrics("events")).get("")?.histogram as HistogramValue).buckets, {
    "1": 1n,
    "1000000000000000000": 2n,
    "+Inf": 1n,
  });
});

kernelTest("events: a negative value lowers a gauge, never a counter, and is told", async () => {
  await using gadget = await startGadget(await kernelFixture("big_numbers"));
  await gadget.run("send", [5n]);
  await gadget.run("send", [TWO_64 - 3n]);
  const values = (await gadget.metrics("events")).get("");
  assertEquals(values?.signed_counter, 5n);
  assertEquals(values?.signed_gauge, -3n);
  assertEquals(values?.unsigned_gauge, TWO_64 - 3n);
  assertEquals(values?.unsigned_counter, 2n, "unsigned counters go around at 2^64");
  assertEquals(gadget.stats("events").decodeErrors.negative_counter, 1);
});

kernelTest("maps: totals are exact beyond 2^53 and start anew after a reset", async () => {
  await using gadget = await startGadget(await kernelFixture("big_numbers"));
  const id = await gadget.mapId("totals_map");
  const steps: [total: bigint, counter: bigint][] = [
    [TWO_53 + 1n, TWO_53 + 1n],
    [TWO_53 + 2n, TWO_53 + 2n],
    [TWO_64 - 1n, TWO_64 - 1n],
    // Less than before: the entry was reset, all of it is new.
    [7n, 6n],
    [9n, 8n],
  ];
  for (const [total, counter] of steps) {
    await writeTotals(id, { key: 1, total });
    assertEquals((await gadget.metrics("totals")).get("1"), { counter, gauge: total });
  }
});

async function writeTotals(mapId: number, entry: { key: number; total: bigint }): Promise<void> {
  const bytes = new DataView(new ArrayBuffer(20));
  bytes.setUint32(0, entry.key, true);
  bytes.setBigUint64(4, entry.total, true);
  bytes.setBigUint64(12, entry.total, true);
  const hex = Array.from(new Uint8Array(bytes.buffer), (byte) => byte.toString(16));
  const parts = ["key", "hex", ...hex.slice(0, 4), "value", "hex", ...hex.slice(4)];
  await runTool("bpftool", ["map", "update", "id", String(mapId), ...parts]);
}
