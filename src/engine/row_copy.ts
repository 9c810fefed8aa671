/** Copies of lent rows, for showing a whole fetch at once. */

import { type FilterTerm, matchesFilter, type RecordBytes } from "../decode/mod.ts";
import type { DataSourceSpec } from "../gadget/mod.ts";
import type { RowBatch } from "../metrics/mod.ts";
import type { Formatters } from "./run_options.ts";

/** Collects the rows of one fetch. */
export class RowCopy {
  readonly #spec: DataSourceSpec;
  readonly #records: RecordBytes[] = [];

  constructor(spec: DataSourceSpec) {
    this.#spec = spec;
  }

  /** Copies a batch's rows that pass the filter. */
  add(batch: RowBatch, options: { filter: readonly FilterTerm[]; formatters: Formatters }): void {
    const { recordSizeBytes, valueSizeBytes } = this.#spec;
    const keys = copyRows(batch.view, {
      strideBytes: batch.strideBytes,
      sizeBytes: recordSizeBytes,
      count: batch.count,
    });
    const values = copyRows(batch.valueView, {
      strideBytes: batch.valueStrideBytes,
      sizeBytes: valueSizeBytes,
      count: batch.count,
    });
    for (let row = 0; row < batch.count; row++) {
      const record: RecordBytes = {
        segments: [keys, values],
        offsets: [row * recordSizeBytes, row * valueSizeBytes],
      };
      if (matchesFilter(options.filter, record, options.formatters)) this.#records.push(record);
    }
  }

  get records(): readonly RecordBytes[] {
    return this.#records;
  }
}

function copyRows(
  view: DataView,
  rows: { strideBytes: number; sizeBytes: number; count: number },
): DataView {
  const { strideBytes, sizeBytes, count } = rows;
  const source = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const copy = new Uint8Array(count * sizeBytes);
  for (let row = 0; row < count; row++) {
    copy.set(source.subarray(row * strideBytes, row * strideBytes + sizeBytes), row * sizeBytes);
  }
  return new DataView(copy.buffer);
}
