/**
 * Draining a full ring buffer: 300,000 events of 40 bytes, keys comm (16 bytes) and pid, 1,000 series,
 * one counter or two. Filling is not measured. Times are per 300,000 events.
 */

import { createFormatters, hostEnvironment } from "../src/enrich/mod.ts";
import { metricRoles } from "../src/gadget/mod.ts";
import {
  compileIngest,
  interpretIngest,
  makePlan,
  type MetricsPlan,
  SeriesStore,
} from "../src/metrics/mod.ts";
import { RingBuffer } from "../src/sources/mod.ts";
import { loadFixture } from "./fixture.ts";
import { openPeers } from "./peers.ts";

const EVENTS = 300_000;
const BPF_RB_NO_WAKEUP = 1;

const fixture = loadFixture("filler");
const [spec] = fixture.gadget.spec.dataSources;
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

/** One counter from a field; with `implicit`, the number of events too. */
function planOf(options: { implicit: boolean }) {
  const name = "metrics.implicit-counter.name";
  const annotations = options.implicit ? { ...spec.annotations, [name]: "n" } : spec.annotations;
  const roles = metricRoles({ ...spec, annotations });
  return { ...makePlan(roles, { ...spec, filter: [] }), seriesLimit: 1e6 };
}

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

async function benchIngest(options: { series: number; implicit: boolean }): Promise<void> {
  const { series, implicit } = options;
  const plan = planOf({ implicit });
  const own = target(plan);
  const compiled = compileIngest(plan, own);
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    await fill(series);
    ring.withLeases((lease) => compiled.ring(lease), Infinity);
  }
  const counters = implicit ? "2 counters" : "1 counter";
  Deno.bench(`kmeter: ${counters}, ${series} series`, { group: "ingest" }, async (b) => {
    await fill(series);
    const before = own.store.memory.stats.received;
    b.start();
    ring.withLeases((lease) => compiled.ring(lease), Infinity);
    b.end();
    const received = own.store.memory.stats.received - before;
    if (received !== EVENTS) throw new Error(`kmeter received ${received}`);
  });
}

await benchIngest({ series: 1000, implicit: false });
await benchIngest({ series: 1000, implicit: true });
await benchIngest({ series: 10_000, implicit: true });
await benchIngest({ series: 100_000, implicit: true });

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

const plan = planOf({ implicit: true });
const interpreted = interpretIngest(plan, target(plan));
Deno.bench("kmeter's interpreter (the specification)", { group: "ingest", n: 3 }, async (b) => {
  await fill(1000);
  b.start();
  ring.withLeases((lease) => interpreted.ring(lease), Infinity);
  b.end();
});
