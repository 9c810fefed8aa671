/** Events that a gadget could not hand over, as its own `<map>_lost_samples` map counts them. */

import type { BpfMap } from "../../ffi/mod.ts";
import { MapReader } from "../sources/mod.ts";

/** Suffix of the counter map that `GADGET_TRACER_MAP` declares. */
export const LOST_SAMPLES_SUFFIX = "_lost_samples";

/** Reads the loss counter of one event map: never written, only summed over the CPUs. */
export class LostSamples {
  readonly #reader: MapReader;

  constructor(map: BpfMap) {
    this.#reader = new MapReader(map);
  }

  /** Events lost since the gadget was loaded. */
  read(): number {
    let lost = 0;
    this.#reader.readAll(({ values, count }) => {
      for (let value = 0; value < count * this.#reader.cpuCount; value++) {
        lost += Number(values.getBigUint64(value * 8, true));
      }
    }, { remove: false });
    return lost;
  }
}
