/** Random bytes as events of random layouts: the properties of the unit tests, for longer. */

import {
  checkNothingElseIsRead,
  checkRing,
  checkRows,
  checkSnapshots,
} from "../../unit/metrics/ingest_properties.ts";
import { checkPerCpu } from "../../unit/metrics/per_cpu_properties.ts";
import { Random } from "../../unit/random.ts";
import { type FuzzTarget, makeSeed, textOf } from "../target.ts";

export const recordsTarget: FuzzTarget = {
  name: "records",
  make: makeSeed,
  check(input) {
    const random = new Random(Number(textOf(input)));
    checkRing(random, { atomicHeaders: random.chance(0.5) });
    checkRows(random);
    checkNothingElseIsRead(random);
    checkSnapshots(random, { skipZeroEntries: random.chance(0.5) });
    checkPerCpu(random);
  },
};
