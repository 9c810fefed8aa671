/** Events that a gadget could not hand over, as its own `<map>_lost_samples` map counts them. */

import { type BpfMap, possibleCpuCount } from "../../ffi/mod.ts";
import { isPercpuMap } from "../gadget/mod.ts";
import { perCpuStrideBytes } from "../metrics/mod.ts";

/** Suffix of the counter map that `GADGET_TRACER_MAP` declares: a per-CPU array of one u64. */
export const LOST_SAMPLES_SUFFIX = "_lost_samples";

/** Why events were lost: metrics have it as a label. */
export type LossReason = "buffer_full" | "not_sent";

/** Events lost so far, by reason. */
export type Losses = Readonly<Partial<Record<LossReason, number>>>;

const LOSS_TEXT: Readonly<Record<LossReason, string>> = {
  buffer_full: "the buffer was full",
  not_sent: "too long for a perf buffer, or their CPU had just come online",
};

/** One sentence for each reason for which more events are lost than were told. */
export function lossTexts(losses: Losses, told: Losses): string[] {
  const reasons = Object.keys(losses) as LossReason[];
  return reasons.flatMap((reason) => {
    const count = (losses[reason] ?? 0) - (told[reason] ?? 0);
    return count > 0 ? `${count} events lost: ${LOSS_TEXT[reason]}` : [];
  });
}

/** What the buffer itself has lost, and what the gadget has counted. */
export function sumLosses(ofBuffer: number, samples: LostSamples | undefined): Losses {
  if (samples === undefined) return { buffer_full: ofBuffer };
  const counted = samples.read();
  return samples.reason === "buffer_full"
    ? { buffer_full: ofBuffer + counted }
    : { buffer_full: ofBuffer, [samples.reason]: counted };
}

/** Reads the loss counter of one event map: never written, only summed over the CPUs. */
export class LostSamples {
  /** A full perf buffer tells itself what it loses; a ring buffer does not. */
  readonly reason: LossReason;
  readonly #map: BpfMap;
  readonly #key: Uint8Array<ArrayBuffer>;
  /** Sized by what the map says: a gadget may have made its own. */
  readonly #values: DataView<ArrayBuffer>;
  readonly #strideBytes: number;

  constructor(map: BpfMap, reason: LossReason) {
    this.reason = reason;
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
