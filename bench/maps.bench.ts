/**
 * Reading a hash map of 100,000 entries (16-byte keys, 24-byte values) and turning it into series.
 * All values change before each read. Times are per 100,000 entries.
 */

import { createFormatters, hostEnvironment } from "../src/enrich/mod.ts";
import { metricRoles } from "../src/gadget/mod.ts";
import { compileIngest, EntryStore, makePlan, SeriesStore } from "../src/metrics/mod.ts";
import { MapReader } from "../src/sources/mod.ts";
import { loadFixture } from "./fixture.ts";
import { openPeers } from "./peers.ts";

const ENTRIES = 100_000;

const fixture = loadFixture("maps");
const spec = fixture.gadget.spec.dataSources.find(({ name }) => name === "hash");
const map = fixture.object.maps().find(({ name }) => name === "hash_map");
if (spec === undefined || map === undefined) throw new Error("fixture maps has no hash");
const peers = openPeers();
const reader = new MapReader(map);
const plan = { ...makePlan(metricRoles(spec), { ...spec, filter: [] }), seriesLimit: 1e6 };
const store = new SeriesStore(plan);
const entries = new EntryStore(store, {
  keySizeBytes: spec.recordSizeBytes,
  valueSizeBytes: spec.valueSizeBytes,
});
const ingest = compileIngest(plan, {
  store,
  entries,
  formatters: createFormatters(
    spec.fields,
    hostEnvironment({ readClocks: () => ({ bootNs: 0n, wallNs: 0n }) }),
  ),
  skipZeroEntries: false,
  atomicHeaders: false,
});

function readIntoSeries(): number {
  entries.beginPass();
  const count = reader.readAll((batch) =>
    ingest.snapshot({
      view: batch.keys,
      strideBytes: map!.keySizeBytes,
      valueView: batch.values,
      valueStrideBytes: reader.valueStrideBytes,
      count: batch.count,
    }), { remove: false });
  entries.endPass();
  return count;
}

function check(count: number): void {
  if (count !== ENTRIES) throw new Error(`read ${count} entries`);
}

await fixture.fill(ENTRIES, 0);

Deno.bench("C: batch calls and hashing", { group: "maps", baseline: true }, async (b) => {
  await fixture.fill(ENTRIES, 0);
  b.start();
  const count = peers.peer_map_read(map.fd, 1);
  b.end();
  check(count);
});

Deno.bench("C: batch calls alone", { group: "maps" }, (b) => {
  b.start();
  const count = peers.peer_map_read(map.fd, 0);
  b.end();
  check(count);
});

Deno.bench("kmeter: every value changed", { group: "maps" }, async (b) => {
  await fixture.fill(ENTRIES, 0);
  b.start();
  const count = readIntoSeries();
  b.end();
  check(count);
});

Deno.bench("kmeter: nothing changed", { group: "maps" }, (b) => {
  b.start();
  const count = readIntoSeries();
  b.end();
  check(count);
});
