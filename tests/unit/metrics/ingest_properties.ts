/** Generated loops against the interpreter, on random layouts, plans and bytes. */

// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import type { Field, RecordBytes } from "../../../src/decode/mod.ts";
import type { MetricsPlan } from "../../../src/metrics/mod.ts";
import { ringOf, type RingRecord, type Row, rowsOf } from "./batches.ts";
import type { Random } from "../random.ts";
import { type Layout, randomLayout, RecordMaker } from "./random_layout.ts";
import { randomPlan, testFormatters } from "./random_plan.ts";
import { describeStore, TwinStores } from "./_twin_stores.ts";

interface Case {
  readonly plan: MetricsPlan;
  readonly fields: readonly Field[];
  readonly keys: RecordMaker;
  readonly values: RecordMaker;
}

const NO_VALUE: Layout = { fields: [], sizeBytes: 0 };

function randomCase(random: Random, options: { hasValue: boolean }): Case {
  const key = randomLayout(random, 0);
  const value = options.hasValue ? randomLayout(random, 1) : NO_VALUE;
  const keys = new RecordMaker(random, key);
  const values = new RecordMaker(random, value);
  const sample: RecordBytes = {
    segments: [new DataView(keys.make().buffer), new DataView(values.make().buffer)],
    offsets: [0, 0],
  };
  const plan = randomPlan(random, { key, value, sample });
  return { plan, fields: [...key.fields, ...value.fields], keys, values };
}

function randomRing(random: Random, maker: RecordMaker): RingRecord[] {
  return Array.from({ length: random.between(0, 60) }, () => {
    const record = maker.make();
    const choice = random.between(0, 19);
    const bytes = choice === 0
      ? record.subarray(0, random.between(0, record.length))
      : choice === 1
      ? new Uint8Array([...record, ...random.bytes(random.between(1, 16))])
      : record;
    const state = choice === 2 ? "discarded" : choice === 3 ? "busy" : "committed";
    return { bytes, state };
  });
}

/** Events, some cut short, some too long, some discarded or still being written. */
export function checkRing(random: Random, options: { atomicHeaders: boolean }): void {
  const { plan, fields, keys } = randomCase(random, { hasValue: false });
  const twins = new TwinStores(plan, { ...options, formatters: testFormatters(fields) });
  let nowMs = 0;
  for (let round = random.between(1, 4); round > 0; round--) {
    const batch = ringOf(randomRing(random, keys), random.between(0, 5) * 8);
    // What is still being written is met again, and meanwhile stays so.
    const at = twins.ring(batch);
    if (at < batch.end) twins.ring({ ...batch, begin: at });
    if (plan.ttlMs > 0) twins.advance(nowMs += random.between(0, 40));
    if (random.chance(0.1)) twins.clear();
  }
}

/** Rows of iterators and drained maps. */
export function checkRows(random: Random): void {
  const { plan, fields, keys, values } = randomCase(random, { hasValue: random.chance(0.7) });
  const twins = new TwinStores(plan, { formatters: testFormatters(fields) });
  let nowMs = 0;
  for (let round = random.between(1, 4); round > 0; round--) {
    const rows = Array.from(
      { length: random.between(0, 60) },
      () => ({ key: keys.make(), value: values.make() }),
    );
    twins.rows(rowsOf(rows, random.between(0, 9)));
    if (plan.ttlMs > 0) twins.advance(nowMs += random.between(0, 40));
    if (random.chance(0.2)) twins.clear();
  }
}

/** What lies before, between and behind the records has no say in what is counted. */
export function checkNothingElseIsRead(random: Random): void {
  const { plan, fields, keys } = randomCase(random, { hasValue: false });
  const records = randomRing(random, keys);
  const formatters = testFormatters(fields);
  const described = [0, 0xff].map((noise) => {
    const twins = new TwinStores(plan, { formatters });
    twins.ring(ringOf(records, 64, noise));
    return describeStore(twins.store);
  });
  assertEquals(described[0], described[1]);
}

/** A map whose entries come, change, go down, fall to zero, go and return. */
class ChangingMap {
  readonly #random: Random;
  readonly #case: Case;
  readonly #rows = new Map<string, Row>();

  constructor(random: Random, made: Case) {
    this.#random = random;
    this.#case = made;
  }

  change(): void {
    const random = this.#random;
    for (const [text, row] of this.#rows) {
      const choice = random.between(0, 9);
      if (choice === 0) this.#rows.delete(text);
      else if (choice < 4) this.#rows.set(text, { ...row, value: this.#nextValue(row) });
    }
    for (let count = random.between(0, 15); count > 0; count--) {
      const key = this.#case.keys.make();
      this.#rows.set(key.join(), { key, value: this.#case.values.make() });
    }
  }

  #nextValue({ value = new Uint8Array(0) }: Row): Uint8Array {
    const random = this.#random;
    if (random.chance(0.2)) return new Uint8Array(value.length);
    if (random.chance(0.4)) return this.#case.values.make();
    // Most bytes stay, so that most totals stay, too.
    const next = value.slice();
    const at = random.between(0, Math.max(0, next.length - 1));
    next[at] += random.between(-3, 9);
    return next;
  }

  rows(): Row[] {
    return [...this.#rows.values()];
  }
}

/** Whole reads of a map that keeps its totals. */
export function checkSnapshots(random: Random, options: { skipZeroEntries: boolean }): void {
  const made = randomCase(random, { hasValue: true });
  const twins = new TwinStores(made.plan, {
    ...options,
    followsTotals: true,
    formatters: testFormatters(made.fields),
  });
  const map = new ChangingMap(random, made);
  let nowMs = 0;
  for (let pass = random.between(2, 8); pass > 0; pass--) {
    map.change();
    const rows = map.rows();
    const cut = random.between(0, rows.length);
    const slack = random.between(0, 9);
    twins.pass([rowsOf(rows.slice(0, cut), slack), rowsOf(rows.slice(cut), slack)]);
    if (made.plan.ttlMs > 0) twins.advance(nowMs += random.between(0, 40));
  }
}
