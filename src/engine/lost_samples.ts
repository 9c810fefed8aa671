/** Events that a gadget could not hand over, as its own `<map>_lost_samples` map counts them. */

import { type BpfMap, possibleCpuCount } from "../../ffi/mod.ts";
import { isPercpuMap } from "../gadget/mod.ts";
import { perCpuStrideBytes } from "../metrics/mod.ts";

/** Suffix of the counter map that `GADGET_TRACER_MAP` declares: a per-CPU array of one u64. */
export const LOST_SAMPLES_SUFFIX = "_lost_samples";

/** Reads the loss counter of one event map: never written, only summed over the CPUs. */
export class LostSamples {
  readonly #map: BpfMap;
  readonly #key: Uint8Array<ArrayBuffer>;
  /** Sized by what the map says: a gadget may have made its own. */
  readonly #values: DataView<ArrayBuffer>;
  readonly #strideBytes: number;

  constructor(map: BpfMap) {
    this.#map = map;
    this.#key = new Uint8Array(map.keySizeBytes);
    this.#strideBytes = perCpuStrideBytes(map.valueSizeBytes);
    const cpuCount = isPercpuMap(map) ? possibleCpuCount() : 1;
    this.#values = new DataView(new ArrayBuffer(this.#strideBytes * cpuCount));
  }

  /** Events lost since the gadget was loaded. Cost: one system call, too short for another thread. */
  read(): number {
    this.#map.lookup(this.#key, new Uint8Array(this.#values.buffer));
    let lost = 0;
    for (let at = 0; at < this.#values.byteLength; at += this.#strideBytes) {
      lost += Number(this.#values.getBigUint64(at, true));
    }
    return lost;
  }
}
