/** Values of prom-client metrics as protobuf MetricFamily messages. */

import { ByteWriter, LENGTH_BYTES } from "./_byte_writer.ts";
import { FamilyMessage } from "./_family_message.ts";
import { boundText } from "./_number_text.ts";
import { familyHeader } from "./_protobuf_family.ts";
import { type Label, protobufLabels } from "./_protobuf_labels.ts";
import { MAX_NUMBER_METRIC_BYTES, writeNumber } from "./_protobuf_writer.ts";
import type { RegistryValue, RegistryValues } from "./registry_family.ts";

interface Part {
  readonly header: Uint8Array;
  readonly type: string;
  readonly values: readonly RegistryValue[];
}

/**
 * Writes whole families; those without a value are left out. kmeter's own are counters and gauges. Samples
 * of a histogram or summary become untyped families of their own names, which Prometheus stores
 * as the same series.
 */
export function registryProtobuf(families: readonly RegistryValues[]): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter(0);
  for (const part of families.flatMap(partsOf)) writePart(out, part);
  return out.written();
}

function partsOf({ name, help, type, values }: RegistryValues): Part[] {
  const byName = Map.groupBy(values, ({ metricName }) => metricName ?? name);
  return [...byName].map(([sampleName, values]) => ({
    header: familyHeader({ name: sampleName, help, type, unit: "" }),
    type,
    values,
  }));
}

function writePart(out: ByteWriter, { header, type, values }: Part): void {
  const message = new FamilyMessage();
  for (const value of values) {
    const block = protobufLabels(labelsOf(value));
    const sizeBytes = MAX_NUMBER_METRIC_BYTES + block.lengthBytes;
    out.grow(LENGTH_BYTES + header.length + sizeBytes);
    message.makeRoom(out, { header, sizeBytes });
    writeNumber(out, { block, type, value: value.value });
  }
  message.end(out);
}

function labelsOf({ labels }: RegistryValue): Label[] {
  return Object.entries(labels).map(([name, value]) => {
    const isBound = typeof value === "number" && (name === "le" || name === "quantile");
    return [name, isBound ? boundText(value, "text") : String(value)];
  });
}
