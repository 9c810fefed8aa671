/**
 * Reading maps of 100,000 entries (16-byte keys or indices, 24-byte values) and following their totals.
 *
 * C reads the map of an object of its own that holds the same; `kmeter` is a running gadget that is
 * asked for its metrics, as a scrape does. The C reads with 4096 entries a call, which is as fast as
 * any larger number.
 */

import { type BpfMap, possibleCpuCount } from "../ffi/mod.ts";
import { perCpuStrideBytes } from "../src/metrics/mod.ts";
import { type Fixture, loadFixture } from "./fixture.ts";
import { openPeers } from "./peers.ts";
import { type RunningMap, startMap } from "./running_map.ts";

const ENTRIES = 100_000;
/** Elements of the arrays. */
const ELEMENTS = 131_072;
const CPUS = possibleCpuCount();

const peers = openPeers();
const hashes = loadFixture("maps");
const arrays = loadFixture("mapped");
await hashes.fill(ENTRIES, 0);
await arrays.fill(ELEMENTS, 0);

function mapOf({ object }: Fixture, name: string): BpfMap {
  const map = object.maps().find((candidate) => candidate.name === name);
  if (map === undefined) throw new Error(`no map ${name}`);
  return map;
}

function check(count: number, expected: number): void {
  if (count !== expected) throw new Error(`read ${count} entries instead of ${expected}`);
}

interface Line {
  readonly group: string;
  readonly baseline?: boolean;
}

function benchC(name: string, { group, baseline, expected, read }: Line & {
  expected: number;
  read: () => number;
}): void {
  Deno.bench(name, { group, baseline }, (b) => {
    b.start();
    const count = read();
    b.end();
    check(count, expected);
  });
}

/** Series that a running map should have, and whether all values change before each read. */
interface Follow extends Line {
  readonly map: RunningMap;
  readonly expected: number;
  readonly changes: boolean;
  /** Make the page, too. */
  readonly renders?: boolean;
}

function benchKmeter(name: string, follow: Follow): void {
  const { group, map, expected, changes, renders } = follow;
  Deno.bench(name, { group }, async (b) => {
    if (changes) await map.fill(expected, 0);
    b.start();
    const count = await map.refresh();
    const bytes = renders ? map.render() : 1;
    b.end();
    // The first series is the one of what is over the limit.
    if (bytes === 0 || count < expected || count > expected + 1) check(count, expected);
  });
}

/** Fills and reads once, so that all series exist. */
async function startFilled(fixture: string, dataSource: string, n: number): Promise<RunningMap> {
  const map = await startMap(fixture, dataSource);
  await map.fill(n, 0);
  await map.refresh();
  map.render();
  return map;
}

{
  const group = "maps: hash, 100,000 entries";
  const { fd } = mapOf(hashes, "hash_map");
  const map = await startFilled("maps", "hash", ENTRIES);
  const line = { group, expected: ENTRIES };
  benchC("C: batch calls", { ...line, baseline: true, read: () => peers.peer_map_read(fd, 0) });
  benchC("C: batch calls and hashing", { ...line, read: () => peers.peer_map_read(fd, 1) });
  benchKmeter("kmeter: every value changed", { ...line, map, changes: true });
  benchKmeter("kmeter: nothing changed", { ...line, map, changes: false });
  benchKmeter("kmeter: every value changed, with the page's text", {
    ...line,
    map,
    changes: true,
    renders: true,
  });
  const id = /^map_id:\s*(\d+)/m.exec(Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`))?.[1] ?? "";
  Deno.bench("bpftool map dump -j", { group, n: 3, warmup: 0 }, async () => {
    const dump = new Deno.Command("bpftool", {
      args: ["-j", "map", "dump", "id", id],
      stdout: "null",
    });
    const { success } = await dump.output();
    if (!success) throw new Error("bpftool failed");
  });
}

{
  const group = `maps: per-CPU hash, 100,000 entries, ${CPUS} CPUs`;
  const map = mapOf(hashes, "percpu_hash_map");
  const valueBytes = perCpuStrideBytes(map.valueSizeBytes) * CPUS;
  const running = await startFilled("maps", "percpu_hash", ENTRIES);
  const line = { group, expected: ENTRIES };
  benchC("C: batch calls", {
    ...line,
    baseline: true,
    read: () => peers.peer_map_read_any(map.fd, map.keySizeBytes, valueBytes),
  });
  benchKmeter("kmeter: every value changed", { ...line, map: running, changes: true });
  benchKmeter("kmeter: nothing changed", { ...line, map: running, changes: false });
}

{
  const group = "maps: array, 131,072 elements";
  const { fd, keySizeBytes, valueSizeBytes } = mapOf(arrays, "plain_map");
  const plain = await startFilled("mapped", "plain", ELEMENTS);
  const mapped = await startFilled("mapped", "mapped", ELEMENTS);
  const line = { group, expected: ELEMENTS };
  benchC("C: batch calls", {
    ...line,
    baseline: true,
    read: () => peers.peer_map_read_any(fd, keySizeBytes, valueSizeBytes),
  });
  for (const [name, map] of [["system calls", plain], ["mapped", mapped]] as const) {
    benchKmeter(`kmeter: ${name}, every value changed`, { ...line, map, changes: true });
    benchKmeter(`kmeter: ${name}, nothing changed`, { ...line, map, changes: false });
  }
}
