/** A data source over a map: reads it whole, reduces per-CPU values, and hands the rows on. */

import type { BpfMap } from "../../ffi/mod.ts";
import { type DataSourceSpec, isArrayMap, isPercpuMap, MAP_TYPE } from "../gadget/mod.ts";
import {
  compilePerCpu,
  type PerCpuMode,
  type PerCpuReducer,
  planPerCpu,
  type RowBatch,
} from "../metrics/mod.ts";
import { type MapBatch, MapReader } from "../sources/mod.ts";

/** Timing and size of the last read. */
export interface MapReadStats {
  readonly entries: number;
  readonly maxEntries: number;
  readonly fetchDurationSeconds: number;
  /** Reads that found the map full; absent where a full map does not refuse new keys. */
  readonly fullReads?: number;
}

/** Rows of one map. */
export class MapSource {
  readonly map: BpfMap;
  /** Generated code that merges the CPUs' values; absent where there is nothing to merge. */
  readonly reducerSource?: string;
  readonly #reader: MapReader;
  readonly #spec: DataSourceSpec;
  /** True if each CPU's value is a row of its own. */
  readonly #isSplit: boolean;
  readonly #reduce: PerCpuReducer | undefined;
  /** Reduced values, reused from batch to batch. */
  #reduced = new DataView(new ArrayBuffer(0));
  /** Keys with the CPU behind them, in `label` mode. */
  #splitKeys = new Uint8Array(0);
  #stats: MapReadStats;

  constructor(map: BpfMap, spec: DataSourceSpec) {
    this.map = map;
    this.#reader = new MapReader(map);
    this.#spec = spec;
    const mode = percpuMode(spec);
    this.#isSplit = isPercpuMap(map) && mode === "label";
    if (isPercpuMap(map) && mode !== "label") {
      const { valueSizeBytes } = map;
      const compiled = compilePerCpu(planPerCpu(spec.fields, { mode, valueSizeBytes }));
      this.#reduce = compiled.reduce;
      this.reducerSource = compiled.source;
    }
    this.#stats = {
      entries: 0,
      maxEntries: map.maxEntries,
      fetchDurationSeconds: 0,
      ...(this.canReap && { fullReads: 0 }),
    };
  }

  /** True if entries can be taken out. */
  get canDrain(): boolean {
    return !isArrayMap(this.map);
  }

  /** True if a full map refuses new keys, so that idle ones must make room. */
  get canReap(): boolean {
    const { type, keySizeBytes, maxEntries } = this.map;
    const hasRoomForAll = maxEntries >= 256 ** keySizeBytes;
    return !hasRoomForAll && (type === MAP_TYPE.hash || type === MAP_TYPE.percpuHash);
  }

  get stats(): MapReadStats {
    return this.#stats;
  }

  /**
   * Lends all rows in batches. One read at a time.
   * @throws KernelError, UnsupportedError: then not all rows have been lent.
   */
  async read(
    process: (batch: RowBatch) => void,
    options: { remove: boolean },
  ): Promise<void> {
    const startMs = performance.now();
    const entries = await this.#reader.readAll((batch) => process(this.#rows(batch)), options);
    const { maxEntries } = this.map;
    const { fullReads } = this.#stats;
    this.#stats = {
      entries,
      maxEntries,
      fetchDurationSeconds: (performance.now() - startMs) / 1000,
      ...(fullReads !== undefined && { fullReads: fullReads + (entries >= maxEntries ? 1 : 0) }),
    };
  }

  /** Takes single entries out and lends their last values. `keys` lie in a row. */
  async remove(
    keys: Uint8Array<ArrayBuffer>,
    process: (batch: RowBatch) => void,
  ): Promise<void> {
    await this.#reader.removeKeys(keys, (batch) => process(this.#rows(batch)));
  }

  /** Frees what the reader holds; no read may be under way. */
  close(): void {
    this.#reader.close();
  }

  #rows(batch: MapBatch): RowBatch {
    const { keySizeBytes, valueSizeBytes } = this.map;
    if (this.#isSplit) return this.#splitRows(batch);
    if (this.#reduce === undefined) {
      return {
        view: batch.keys,
        strideBytes: keySizeBytes,
        valueView: batch.values,
        valueStrideBytes: this.#reader.valueStrideBytes,
        count: batch.count,
      };
    }
    const { cpuCount } = this.#reader;
    const needed = batch.count * valueSizeBytes;
    if (this.#reduced.byteLength < needed) this.#reduced = new DataView(new ArrayBuffer(needed));
    this.#reduce({ view: batch.values, count: batch.count, cpuCount }, this.#reduced);
    return {
      view: batch.keys,
      strideBytes: keySizeBytes,
      valueView: this.#reduced,
      valueStrideBytes: valueSizeBytes,
      count: batch.count,
    };
  }

  /** One row per CPU: the values as they lie, and each key once per CPU with the CPU behind it. */
  #splitRows(batch: MapBatch): RowBatch {
    const { cpuCount, valueStrideBytes } = this.#reader;
    const { keySizeBytes } = this.map;
    const strideBytes = this.#spec.recordSizeBytes;
    const count = batch.count * cpuCount;
    if (this.#splitKeys.length < count * strideBytes) {
      this.#splitKeys = new Uint8Array(count * strideBytes);
    }
    const keys = new Uint8Array(batch.keys.buffer, batch.keys.byteOffset);
    const view = new DataView(this.#splitKeys.buffer);
    for (let row = 0; row < count; row++) {
      const start = Math.floor(row / cpuCount) * keySizeBytes;
      this.#splitKeys.set(keys.subarray(start, start + keySizeBytes), row * strideBytes);
      view.setUint32((row + 1) * strideBytes - 4, row % cpuCount, true);
    }
    return {
      view,
      strideBytes,
      valueView: batch.values,
      valueStrideBytes: valueStrideBytes / cpuCount,
      count,
    };
  }
}

function percpuMode(spec: DataSourceSpec): PerCpuMode | "label" {
  // The gadget layer has checked the word.
  return (spec.annotations["ebpf.map.percpu"] ?? "sum") as PerCpuMode | "label";
}
