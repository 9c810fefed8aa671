/** Exemplars of counters and histograms, as OpenMetrics and protobuf have them. */

import { translateLabelName } from "../gadget/mod.ts";
import type { Instrument } from "../metrics/mod.ts";
import { type ByteRun, byteRun, byteRunOf, ByteWriter, COPY_SLACK_BYTES } from "./_byte_writer.ts";
import { escapeLabelValue } from "./_label_arena.ts";
import { doubleText } from "./_number_text.ts";
import { type Label, protobufLabels } from "./_protobuf_labels.ts";
import { timestampField } from "./_protobuf_timestamp.ts";

/** Letters of name and value at most: more fails the whole scrape. */
const MAX_LETTERS = 128;

const VALUE = 2 << 3 | 1;
const VALUE_BYTES = 9;
const TIMESTAMP = 3 << 3 | 2;

/** An exemplar in the bytes of a format. */
export interface ReadyExemplar {
  /** What the event added, or what a histogram observed: says which bucket it is in. */
  readonly value: number;
  readonly bytes: ByteRun;
}

/** ` # {pid="12"} 1 1700000000.123` of a series; undefined if it has none that may be told. */
export function openMetricsExemplar(
  instrument: Instrument,
  series: number,
): ReadyExemplar | undefined {
  const found = tellable(instrument, series);
  if (found === undefined) return undefined;
  const { label: [name, text], value, unixMs } = found;
  return {
    value,
    bytes: byteRun(
      ` # {${name}="${escapeLabelValue(text)}"} ${doubleText(value)} ${unixMs / 1000}`,
    ),
  };
}

/** The fields of an Exemplar message. */
export function protobufExemplar(
  instrument: Instrument,
  series: number,
): ReadyExemplar | undefined {
  const found = tellable(instrument, series);
  if (found === undefined) return undefined;
  const { label, value, unixMs } = found;
  const time = timestampField(TIMESTAMP, unixMs);
  const labels = protobufLabels([label]);
  const sizeBytes = labels.lengthBytes + VALUE_BYTES + time.lengthBytes;
  const out = new ByteWriter(sizeBytes + COPY_SLACK_BYTES);
  out.copy(labels);
  out.byte(VALUE);
  out.float64(value);
  out.copy(time);
  return { value, bytes: byteRunOf(out.written()) };
}

function tellable(
  instrument: Instrument,
  series: number,
): { label: Label; value: number; unixMs: number } | undefined {
  const found = instrument.exemplar?.(series);
  if (found === undefined || !Number.isFinite(found.value)) return undefined;
  const { text, value, unixMs } = found;
  const name = translateLabelName(found.label);
  if ([...name].length + [...text].length > MAX_LETTERS) return undefined;
  return { label: [name, text], value, unixMs };
}
