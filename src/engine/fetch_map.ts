/** One read of a map: drained where rows are shown, in place where they are only counted. */

import { readBootTimeMs } from "../../ffi/mod.ts";
import type { CountingCollector } from "./collector.ts";
import type { Fetch } from "./fetch_runner.ts";
import type { MapSource } from "./map_source.ts";

/** A map fuller than this has its idle keys reaped, down to the second figure. */
const REAP_ABOVE = 0.9;
const REAP_TO = 0.75;

/** Makes the fetch of a map. @param options.drain take entries out with each read. */
export function mapFetch(
  source: MapSource,
  options: { collector?: CountingCollector; drain: boolean },
): Fetch {
  const { collector, drain } = options;
  const entries = collector?.entries;
  return async (process) => {
    if (collector !== undefined) collector.store.nowMs = readBootTimeMs();
    collector?.store.makeRoom();
    entries?.beginPass();
    // If it throws, entries may not have been met: the pass does not end, and nothing is forgotten.
    await source.read((batch) => {
      if (entries !== undefined) collector?.ingest.snapshot(batch);
      else collector?.ingest.rows(batch);
      process(batch);
    }, { remove: drain });
    entries?.endPass();
    if (collector !== undefined) await reap(source, collector);
  };
}

/**
 * Makes room in a map that is nearly full: takes out the entries that have not changed for the
 * longest. Their last values are counted, and their counters go on if the key returns.
 */
async function reap(
  source: MapSource,
  { entries, ingest }: CountingCollector,
): Promise<void> {
  if (entries === undefined || !source.canReap) return;
  // Keys, not rows: there may be one per CPU, and a filter may let few of them through.
  const count = source.stats.entries;
  if (count <= source.map.maxEntries * REAP_ABOVE) return;
  const excess = count - Math.floor(source.map.maxEntries * REAP_TO);
  const keys = entries.copyIdleKeys(excess, source.map.keySizeBytes);
  await source.remove(keys, (batch) => {
    ingest.snapshot(batch);
    entries.forgetValues(batch);
  });
}
