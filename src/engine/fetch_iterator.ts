/** One run of iterator programs. */

import type { IteratorReader } from "../sources/mod.ts";
import type { CountingCollector } from "./collector.ts";
import type { Fetch } from "./fetch_runner.ts";

/** Makes the fetch of iterators whose rows have this size. */
export function iteratorFetch(
  reader: IteratorReader,
  options: { collector?: CountingCollector; rowSizeBytes: number },
): Fetch {
  const { collector, rowSizeBytes } = options;
  return async (process) => {
    await reader.readAll(({ view, count }) => {
      // Rows are states, not increments: what an earlier run said no longer counts.
      collector?.store.clear();
      const batch = {
        view,
        strideBytes: rowSizeBytes,
        valueView: view,
        valueStrideBytes: 0,
        count,
      };
      collector?.ingest.rows(batch);
      process(batch);
    });
  };
}
