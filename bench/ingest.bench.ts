/**
 * Draining a full ring buffer: 300,000 events of 40 bytes, keys comm (16 bytes) and pid, 1,000 series,
 * a counter and the implicit counter. Filling is not measured. Times are per 300,000 events.
 */

import { createFormatters, hostEnvironment } from "../src/enrich/mod.ts";
import { metricRoles } from "../src/gadget/mod.ts";
import { compileIngest, interpretIngest, makePlan, SeriesStore } from "../src/metrics/mod.ts";
import { RingBuffer } from "../src/sources/mod.ts";
import { loadFixture } from "./fixture.ts";
import { openPeers } from "./peers.ts";

const EVENTS = 300_000;
const BPF_RB_NO_WAKEUP = 1;

const fixture = loadFixture("filler");
const [spec] = fixture.gadget.spec.dataSources;
const map = fixture.object.maps().find(({ name }) => name === "ring");
if (map === undefined) throw new Error("fixture filler has no map ring");
const peers = openPeers();
peers.peer_ring_open(map.fd);

const formatters = createFormatters(
  spec.fields,
  hostEnvironment({ readClocks: () => ({ bootNs: 0n, wallNs: 0n }) }),
);
const counting = {
  ...spec,
  annotations: { ...spec.annotations, "metrics.implicit-counter.name": "n" },
};
const plan = makePlan(metricRoles(counting), { ...spec, filter: [] });

function target() {
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

/** Each consumer keeps its position to itself, so kmeter's starts anew where the peer stopped. */
async function filledRing(series: number): Promise<RingBuffer> {
  await fill(series);
  return new RingBuffer(map!);
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

for (const series of [1000, 10_000]) {
  const compiledTarget = target();
  const compiled = compileIngest({ ...plan, seriesLimit: 1e6 }, compiledTarget);
  Deno.bench(`kmeter: 2 keys, 2 counters, ${series} series`, { group: "ingest" }, async (b) => {
    using ring = await filledRing(series);
    const before = compiledTarget.store.received;
    b.start();
    ring.withLeases((lease) => compiled.ring(lease), Infinity);
    b.end();
    const received = compiledTarget.store.received - before;
    if (received !== EVENTS) throw new Error(`kmeter received ${received}`);
  });
}

const { Counter, Registry } = await import("prom-client");
const promCounter = new Counter({
  name: "bytes_total",
  help: "bytes",
  labelNames: ["comm", "pid"],
  registers: [new Registry()],
});
const labels = Array.from({ length: 1000 }, (_, k) => ({ comm: `filler--${k}`, pid: String(k) }));

Deno.bench("prom-client: inc() with two labels", { group: "ingest" }, (b) => {
  b.start();
  for (let event = 0; event < EVENTS; event++) promCounter.inc(labels[event % 1000], 7);
  b.end();
});

const interpretedTarget = target();
const interpreted = interpretIngest(plan, interpretedTarget);
Deno.bench("kmeter's interpreter (the specification)", { group: "ingest", n: 3 }, async (b) => {
  using ring = await filledRing(1000);
  b.start();
  ring.withLeases((lease) => interpreted.ring(lease), Infinity);
  b.end();
});
