/**
 * Generated loops against the interpreter, on random layouts, plans and bytes.
 *
 * `FUZZ_SEED` starts elsewhere, `FUZZ_COUNT` runs longer; `deno task fuzz records` does both.
 */

import { forEachSeed } from "../random.ts";
import {
  checkNothingElseIsRead,
  checkRing,
  checkRows,
  checkSnapshots,
} from "./ingest_properties.ts";

const SEEDS = {
  first: Number(Deno.env.get("FUZZ_SEED") ?? 1),
  count: Number(Deno.env.get("FUZZ_COUNT") ?? 250),
};

for (const atomicHeaders of [false, true]) {
  Deno.test(`ring: generated code does what the interpreter does, atomic ${atomicHeaders}`, () => {
    forEachSeed(SEEDS, (random) => checkRing(random, { atomicHeaders }));
  });
}

Deno.test("rows: generated code does what the interpreter does", () => {
  forEachSeed(SEEDS, checkRows);
});

Deno.test("ring: what lies around the records is not counted", () => {
  forEachSeed(SEEDS, checkNothingElseIsRead);
});

for (const skipZeroEntries of [false, true]) {
  Deno.test(`snapshot: generated code does what the interpreter does, skip ${skipZeroEntries}`, () => {
    forEachSeed(SEEDS, (random) => checkSnapshots(random, { skipZeroEntries }));
  });
}
