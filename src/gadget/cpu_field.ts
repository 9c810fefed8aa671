/** `ebpf.map.percpu: label`: one row per CPU, told apart by a field `cpu` behind the map's key. */

import type { Field } from "../decode/mod.ts";
import type { DataSourceSpec } from "./spec.ts";

/** Name of the field. */
export const CPU_FIELD = "cpu";

/**
 * The data source with one row per CPU. Layout of segment 0: the map's key, padding to 4 bytes, the
 * CPU's number as u32.
 */
export function withCpuField(source: DataSourceSpec): DataSourceSpec {
  const offsetBytes = source.recordSizeBytes + 3 & -4;
  const cpu: Field = {
    name: CPU_FIELD,
    kind: "uint32",
    arrayLength: 0,
    segment: 0,
    offsetBytes,
    sizeBytes: 4,
    bitOffset: 0,
    bitSize: 0,
    parent: "",
    tags: ["role:key", `name:${CPU_FIELD}`],
    annotations: {
      description: "CPU that the value belongs to",
      "columns.width": "4",
      "columns.alignment": "right",
    },
    hidden: false,
  };
  const isKey = (field: Field) => field.segment === 0;
  return {
    ...source,
    fields: [
      ...source.fields.filter(isKey),
      cpu,
      ...source.fields.filter((field) => !isKey(field)),
    ],
    recordSizeBytes: offsetBytes + cpu.sizeBytes,
  };
}
