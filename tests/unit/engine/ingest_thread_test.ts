/** The thread that counts, fed through a pipe: no kernel needed. */

// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import type { IngestSource } from "../../../src/engine/ingest_job.ts";
import { IngestThread } from "../../../src/engine/ingest_thread.ts";
import {
  allocateSeriesBudget,
  allocateSeriesMemory,
  createMetricSet,
  type MetricSet,
  type MetricsPlan,
  type RingBatch,
  SeriesMemory,
} from "../../../src/metrics/mod.ts";
import { RowPipe, RowPipeWriter } from "../../../src/sources/mod.ts";
import { ringOf, type RingRecord } from "../metrics/batches.ts";
import { numberField, planOf, valueRole, words64 } from "../metrics/plans.ts";

/** A thread over one pipe. */
class Fed implements AsyncDisposable {
  readonly memory: SeriesMemory;
  readonly set: MetricSet;
  readonly thread = new IngestThread();
  readonly #pipe = new RowPipe(1 << 20);
  readonly #writer = new RowPipeWriter(this.#pipe.handle);
  readonly #source: IngestSource;

  constructor(plan: MetricsPlan) {
    const handle = allocateSeriesMemory(plan, {
      isStronglyOrdered: Deno.build.arch === "x86_64",
      budget: allocateSeriesBudget(plan.seriesLimit),
    });
    this.memory = new SeriesMemory(plan, handle);
    this.set = createMetricSet({
      scope: "g/ds",
      plan,
      memory: this.memory,
      formatters: new Map(),
    });
    this.#source = { plan, memory: handle, buffer: this.#pipe.handle, fields: [] };
  }

  async run(): Promise<this> {
    await this.thread.run({ sources: [this.#source] }, this.#pipe.fds);
    return this;
  }

  send(records: readonly RingRecord[]): void {
    this.sendLease(ringOf(records));
  }

  sendLease(lease: RingBatch): void {
    this.#writer.write(lease);
    this.#writer.flush();
  }

  /** Sends and waits until all is counted. */
  async count(records: readonly RingRecord[]): Promise<void> {
    this.send(records);
    assertEquals(await this.thread.catchUp(), true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.thread.stop();
    } finally {
      this.#pipe.close();
    }
  }
}

async function feed(plan: MetricsPlan): Promise<Fed> {
  return await new Fed(plan).run();
}

const ID = numberField("id", "uint64");
const VALUE = numberField("value", "uint64", { offsetBytes: 8 });

const record = (id: bigint, value: bigint): RingRecord => ({ bytes: words64(id, value) });

Deno.test("what was in the buffer when a scrape came is in the scrape", async () => {
  await using fed = await feed(planOf({ keys: [ID], values: [valueRole(VALUE, "counter")] }));
  for (let round = 1; round <= 20; round++) {
    await fed.count([record(1n, 5n), record(2n, 1n), record(1n, 5n)]);
    const { cells, stride, offset } = fed.memory.column(0);
    assertEquals([fed.memory.stats.received, fed.set.seriesCount], [3 * round, 3]);
    assertEquals(cells[stride + offset], BigInt(10 * round));
  }
  assertEquals([fed.set.labelValues(1), fed.set.labelValues(2)], [["1"], ["2"]]);
});

Deno.test("all that was sent before the stop is counted", async () => {
  const plan = planOf({ keys: [ID] });
  const fed = await feed(plan);
  const records = Array.from({ length: 1000 }, (_, id) => record(BigInt(id), 0n));
  for (let round = 0; round < 10; round++) fed.send(records);
  await fed[Symbol.asyncDispose]();
  assertEquals([fed.memory.stats.received, fed.memory.liveCount], [10_000, 1000]);
});

Deno.test("a thread that dies says so: to who waits for it, and to who stops it", async () => {
  const fed = await feed(planOf({ keys: [ID] }));
  const failed = assertRejects(() => fed.thread.failed, Error, "Events are no longer counted");
  // A header without its record: the kernel never hands out such a thing.
  const lease = ringOf([record(1n, 1n)]);
  fed.sendLease({ ...lease, end: lease.begin + 8 });
  await failed;
  // Nobody would answer.
  await withoutWaiting(async () => assertEquals(await fed.thread.catchUp(), false));
  await assertRejects(() => fed[Symbol.asyncDispose](), Error, "Events are no longer counted");
});

/** Does what must not wait for another thread. */
async function withoutWaiting(action: () => Promise<void>): Promise<void> {
  const { waitAsync } = Atomics;
  Atomics.waitAsync = () => {
    throw new Error("waited");
  };
  try {
    await action();
  } finally {
    Atomics.waitAsync = waitAsync;
  }
}

Deno.test("a thread that cannot begin says why, before anything is attached", async () => {
  const plan = planOf({ keys: [ID] });
  const broken = { ...plan, instruments: [{ ...plan.instruments[0], field: { kind: "none" } }] };
  const fed = new Fed(broken as unknown as MetricsPlan);
  await assertRejects(() => fed.run(), Error, "Events are no longer counted");
  await assertRejects(() => fed[Symbol.asyncDispose](), Error, "Events are no longer counted");
});

/** Work for the thread, again and again, and reads in between, until there were enough of them. */
async function stress(
  fed: Fed,
  work: { records: () => RingRecord[]; look: () => void; isEnough: () => boolean },
): Promise<void> {
  const { look, isEnough } = work;
  const startMs = performance.now();
  let sent = 0;
  for (let ms = 0; ms < STRESS_MS || !isEnough(); ms = performance.now() - startMs) {
    if (ms > MAX_STRESS_MS) throw new Error("hardly anything was read while it was written");
    const records = work.records();
    sent += records.length;
    fed.send(records);
    const caughtUp = fed.thread.catchUp();
    // The thread is at work meanwhile.
    for (let reads = 0; reads < READS; reads++) look();
    await caughtUp;
  }
  assertEquals(fed.memory.stats.received, sent);
}

const STRESS_MS = 300;
const MAX_STRESS_MS = 30_000;
const READS = 20;
const BATCH = 2000;

const STEP = 0xffff_ffffn;
const ALL_BITS = 0xffff_ffff_ffff_ffffn;

Deno.test("a reader never sees half a value, however often its halves change", async () => {
  const last = numberField("last", "uint64", { offsetBytes: 16 });
  const values = [valueRole(VALUE, "counter"), valueRole(last, "gauge")];
  await using fed = await feed(planOf({ keys: [ID], values, recordSizeBytes: 24 }));
  // Each event carries from the low word of the counter into the high one, and turns the gauge over.
  const batch = Array.from({ length: BATCH }, (_, index) => ({
    bytes: words64(1n, STEP, index % 2 === 0 ? 0n : ALL_BITS),
  }));
  const totals = new Set<bigint>();
  const gauges = new Set<bigint>();
  const look = () => {
    if (fed.memory.count < 2) return;
    const [counter, gauge] = [0, 1].map((index) => fed.memory.column(index));
    totals.add(counter.cells[counter.stride + counter.offset]);
    gauges.add(gauge.cells[gauge.stride + gauge.offset]);
  };
  await stress(fed, { records: () => batch, look, isEnough: () => totals.size > 50 });
  assertEquals([...totals].filter((total) => total % STEP !== 0n), []);
  assertEquals([...gauges].filter((value) => value !== 0n && value !== ALL_BITS), []);
});

Deno.test("what a reader sees of a series belongs to one key, however often ids change hands", async () => {
  const plan = planOf({
    keys: [ID],
    values: [valueRole(VALUE, "gauge")],
    limit: 100,
    ttlMs: 0.001,
  });
  await using fed = await feed(plan);
  const { memory } = fed;
  const valueOf = (key: bigint) => key * 0x1_0001_0001n;
  let torn = 0;
  let whole = 0;
  let next = 0n;
  const records = () =>
    Array.from({ length: 60 }, () => record(++next << 32n | next, valueOf(next)));
  const look = () => {
    for (let series = 1; series < memory.count; series++) {
      const generation = memory.generation(series);
      if (generation % 2 === 1) continue;
      const at = memory.keyAt(series);
      const [low, high] = [memory.words[at], memory.words[at + 1]];
      const { cells, stride, offset } = memory.column(0);
      const value = cells[series * stride + offset];
      if (memory.generation(series) !== generation) continue;
      // A series is there before its first value.
      const isWhole = low === high && (value === 0n || value === valueOf(BigInt(low)));
      if (isWhole) whole++;
      else torn++;
    }
  };
  const isEnough = () => whole > 1000 && memory.count > 1 && memory.generation(1) > 20;
  await stress(fed, { records, look, isEnough });
  assertEquals(torn, 0);
});

Deno.test("an exemplar is of one event, however many come, and has the time of today", async () => {
  const trace = numberField("trace", "uint64", { offsetBytes: 16 });
  await using fed = await feed(planOf({
    keys: [ID],
    values: [valueRole(VALUE, "counter")],
    exemplar: { field: trace, label: "trace" },
    recordSizeBytes: 24,
  }));
  const traceOf = (value: bigint) => value << 32n | value;
  let next = 0n;
  const records = () =>
    Array.from({ length: 60 }, () => {
      next = next % 0x7fff_ffffn + 1n;
      return { bytes: words64(1n, next, traceOf(next)) };
    });
  const seen = new Set<number>();
  const torn: string[] = [];
  const look = () => {
    if (fed.memory.count < 2) return;
    const exemplar = fed.set.instruments[0].exemplar?.(1);
    if (exemplar === undefined) return;
    const { text, value, unixMs } = exemplar;
    seen.add(value);
    const isToday = Math.abs(Date.now() - unixMs) < 3_600_000;
    if (BigInt(text) !== traceOf(BigInt(value)) || !isToday) {
      torn.push(`${text} ${value} ${unixMs}`);
    }
  };
  await stress(fed, { records, look, isEnough: () => seen.size > 50 });
  assertEquals(torn, []);
});
