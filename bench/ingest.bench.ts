/**
 * Draining a full ring buffer: 300,000 events of 40 bytes, keys comm (16 bytes) and pid, one counter or
 * two, or three keys and three kinds of metrics. Filling is not measured. Times are per 300,000 events.
 */

import { createFormatters, hostEnvironment } from "../src/enrich/mod.ts";
import { parseGadget } from "../src/engine/mod.ts";
import { type DataSourceSpec, metricRoles } from "../src/gadget/mod.ts";
import {
  compileIngest,
  type Ingest,
  interpretIngest,
  makePlan,
  type MetricsPlan,
  SeriesStore,
} from "../src/metrics/mod.ts";
import { openEventReader, RingBuffer } from "../src/sources/mod.ts";
import { loadFixture } from "./fixture.ts";
import { openPeers } from "./peers.ts";

const EVENTS = 300_000;
const BPF_RB_NO_WAKEUP = 1;

const fixture = loadFixture("filler");
const spec = specWith([]);
const map = fixture.object.maps().find(({ name }) => name === "ring");
if (map === undefined) throw new Error("fixture filler has no map ring");
const ring = new RingBuffer(map);
const peers = openPeers();
peers.peer_ring_open(map.fd);

const formatters = createFormatters(
  spec.fields,
  hostEnvironment({ readClocks: () => ({ bootNs: 0n, wallNs: 0n }) }),
);
const WARM_UP_ROUNDS = 10;

/** The fixture's events under more annotations, as `--annotate` has them. */
function specWith(annotations: readonly string[]): DataSourceSpec {
  return parseGadget(fixture.gadget.files.objectFile, annotations).spec.dataSources[0];
}

function planWith(annotations: readonly string[]): MetricsPlan {
  const annotated = specWith(annotations);
  const plan = makePlan(metricRoles(annotated), { ...annotated, filter: [] });
  return { ...plan, seriesLimit: 1e6 };
}

/** The number of events, beside the counter of their bytes. */
const IMPLICIT_COUNTER = ["events:metrics.implicit-counter.name=n"];
/** Three keys, one counter, one gauge, one histogram whose bounds are powers of two. */
const THREE_KINDS = [
  ...IMPLICIT_COUNTER,
  "events.bytes:metrics.type=key",
  "events.timestamp:metrics.type=gauge",
  "events.latency:metrics.type=histogram",
  `events.latency:metrics.boundaries=${
    Array.from({ length: 11 }, (_, power) => 2 ** power).join("\\,")
  }`,
];

function target(plan: MetricsPlan) {
  return {
    store: new SeriesStore(plan),
    formatters,
    skipZeroEntries: false,
    atomicHeaders: Deno.build.arch !== "x86_64",
  };
}

async function fill(series: number): Promise<void> {
  await fixture.fill(EVENTS, series, BPF_RB_NO_WAKEUP);
}

/** Takes all events. A new reader each time, since the C peer moves the position in the same ring. */
function drain(ingest: Ingest, timer?: Deno.BenchContext): void {
  const reader = openEventReader(ring.handle);
  timer?.start();
  reader.withLeases((lease) => ingest.ring(lease), Infinity);
  timer?.end();
  reader.rest();
}

Deno.bench(
  "C: ring_buffer__consume, array increment",
  { group: "ingest", baseline: true },
  async (b) => {
    await fill(1000);
    b.start();
    const consumed = peers.peer_ring_consume();
    b.end();
    if (consumed !== EVENTS) throw new Error(`C consumed ${consumed}`);
  },
);

async function benchIngest(
  name: string,
  options: { series: number; annotations: readonly string[]; limit?: number },
): Promise<void> {
  const { series, annotations, limit } = options;
  const made = planWith(annotations);
  const plan = limit === undefined ? made : { ...made, seriesLimit: limit };
  const own = target(plan);
  const compiled = compileIngest(plan, own);
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    await fill(series);
    drain(compiled);
  }
  Deno.bench(`kmeter: ${name}, ${series} series`, { group: "ingest" }, async (b) => {
    await fill(series);
    const before = own.store.memory.stats.received;
    drain(compiled, b);
    const received = own.store.memory.stats.received - before;
    if (received !== EVENTS) throw new Error(`kmeter received ${received}`);
  });
}

await benchIngest("1 counter", { series: 1000, annotations: [] });
await benchIngest("2 counters", { series: 1000, annotations: IMPLICIT_COUNTER });
await benchIngest("2 counters", { series: 10_000, annotations: IMPLICIT_COUNTER });
await benchIngest("2 counters", { series: 100_000, annotations: IMPLICIT_COUNTER });
await benchIngest("2 counters, limit of 100", {
  series: 10_000,
  annotations: IMPLICIT_COUNTER,
  limit: 100,
});
await benchIngest("3 keys, counter, gauge, histogram", {
  series: 1000,
  annotations: THREE_KINDS,
});

const { Counter, Registry } = await import("prom-client");
const registers = [new Registry()];
const labelNames = ["comm", "pid"];
const bytes = new Counter({ name: "bytes_total", help: "bytes", labelNames, registers });
const events = new Counter({ name: "events_total", help: "events", labelNames, registers });
// The labels that the events carry; making these strings from the events is not even counted.
const labels = Array.from({ length: 1000 }, (_, k) => ({
  comm: `filler--${k.toString(16).padStart(4, "0")}`,
  pid: String(1000 + k),
}));

Deno.bench("prom-client: inc() of 1 counter, 1000 series", { group: "ingest" }, () => {
  for (let event = 0; event < EVENTS; event++) bytes.inc(labels[event % 1000], 7);
});

Deno.bench("prom-client: inc() of 2 counters, 1000 series", { group: "ingest" }, () => {
  for (let event = 0; event < EVENTS; event++) {
    bytes.inc(labels[event % 1000], 7);
    events.inc(labels[event % 1000]);
  }
});

const plan = planWith(IMPLICIT_COUNTER);
const interpreted = interpretIngest(plan, target(plan));
Deno.bench("kmeter's interpreter (the specification)", { group: "ingest", n: 3 }, async (b) => {
  await fill(1000);
  drain(interpreted, b);
});
