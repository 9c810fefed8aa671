/** A data source over a map: reads it whole, reduces per-CPU values, and hands the rows on. */

import type { BpfMap } from "../../ffi/mod.ts";
import { type DataSourceSpec, isArrayMap, isPercpuMap, MAP_TYPE } from "../gadget/mod.ts";
import {
  compilePerCpuReducer,
  labelRowSizeBytes,
  type PerCpuMode,
  type PerCpuReducer,
  type RowBatch,
} from "../metrics/mod.ts";
import { type MapBatch, MapReader } from "../sources/mod.ts";

/** Timing and size of the last read. */
export interface MapReadStats {
  readonly entries: number;
  readonly maxEntries: number;
  readonly fetchDurationSeconds: number;
}

/** Rows of one map. */
export class MapSource {
  readonly map: BpfMap;
  readonly #reader: MapReader;
  readonly #mode: PerCpuMode;
  readonly #reduce: PerCpuReducer | undefined;
  /** Reduced values, reused from batch to batch. */
  #reduced = new DataView(new ArrayBuffer(0));
  /** Keys repeated for each CPU, in `label` mode. */
  #repeatedKeys = new Uint8Array(0);
  #stats: MapReadStats;

  constructor(map: BpfMap, spec: DataSourceSpec) {
    this.map = map;
    this.#reader = new MapReader(map);
    this.#mode = percpuMode(spec);
    if (isPercpuMap(map)) this.#reduce = compilePerCpuReducer(spec.fields, this.#mode);
    this.#stats = { entries: 0, maxEntries: map.maxEntries, fetchDurationSeconds: 0 };
  }

  /** True if entries can be taken out. */
  get canDrain(): boolean {
    return !isArrayMap(this.map);
  }

  /** True if a full map refuses new keys, so that idle ones must make room. */
  get canReap(): boolean {
    return this.map.type === MAP_TYPE.hash || this.map.type === MAP_TYPE.percpuHash;
  }

  get stats(): MapReadStats {
    return this.#stats;
  }

  /**
   * Lends all rows in batches.
   * @throws KernelError.
   */
  read(process: (batch: RowBatch) => void, options: { remove: boolean }): void {
    const startMs = performance.now();
    const entries = this.#reader.readAll((batch) => process(this.#rows(batch)), options);
    this.#stats = {
      entries,
      maxEntries: this.map.maxEntries,
      fetchDurationSeconds: (performance.now() - startMs) / 1000,
    };
  }

  /** Takes single entries out and lends their last values. `keys` lie in a row. */
  remove(keys: Uint8Array<ArrayBuffer>, process: (batch: RowBatch) => void): void {
    this.#reader.removeKeys(keys, (batch) => process(this.#rows(batch)));
  }

  #rows(batch: MapBatch): RowBatch {
    const { keySizeBytes, valueSizeBytes } = this.map;
    if (this.#reduce === undefined) {
      return {
        view: batch.keys,
        strideBytes: keySizeBytes,
        valueView: batch.values,
        valueStrideBytes: valueSizeBytes,
        count: batch.count,
      };
    }
    const { cpuCount } = this.#reader;
    const perEntry = this.#mode === "label" ? cpuCount : 1;
    const rowSize = this.#mode === "label" ? labelRowSizeBytes(valueSizeBytes) : valueSizeBytes;
    const needed = batch.count * perEntry * rowSize;
    if (this.#reduced.byteLength < needed) this.#reduced = new DataView(new ArrayBuffer(needed));
    this.#reduce(
      { view: batch.values, count: batch.count, cpuCount, valueSizeBytes },
      this.#reduced,
    );
    return {
      view: perEntry === 1 ? batch.keys : this.#repeatKeys(batch, perEntry),
      strideBytes: keySizeBytes,
      valueView: this.#reduced,
      valueStrideBytes: rowSize,
      count: batch.count * perEntry,
    };
  }

  #repeatKeys(batch: MapBatch, times: number): DataView {
    const { keySizeBytes } = this.map;
    const needed = batch.count * times * keySizeBytes;
    if (this.#repeatedKeys.length < needed) this.#repeatedKeys = new Uint8Array(needed);
    const keys = new Uint8Array(batch.keys.buffer, batch.keys.byteOffset);
    for (let row = 0; row < batch.count * times; row++) {
      const start = Math.floor(row / times) * keySizeBytes;
      this.#repeatedKeys.set(keys.subarray(start, start + keySizeBytes), row * keySizeBytes);
    }
    return new DataView(this.#repeatedKeys.buffer);
  }
}

function percpuMode(spec: DataSourceSpec): PerCpuMode {
  // The gadget layer has checked the word.
  return (spec.annotations["ebpf.map.percpu"] ?? "sum") as PerCpuMode;
}
