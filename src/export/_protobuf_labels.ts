/** Labels as the LabelPair fields of a protobuf Metric. */

import { type ByteRun, byteRunOf } from "./_byte_writer.ts";

/** A label's name and value. */
export type Label = readonly [name: string, value: string];

const LABEL = 1 << 3 | 2;
const NAME = 1 << 3 | 2;
const VALUE = 2 << 3 | 2;

const MAX_BYTES_PER_UNIT = 3;
/** Three tags and lengths. */
const MAX_FRAME_BYTES = 18;

const encoder = new TextEncoder();

/** Room that {@linkcode encodeLabelPairs} may need. */
export function maxLabelPairBytes(labels: readonly Label[]): number {
  return labels.reduce(
    (sum, [name, value]) =>
      sum + (name.length + value.length) * MAX_BYTES_PER_UNIT + MAX_FRAME_BYTES,
    0,
  );
}

/** Writes the labels that are not empty; returns the size. Lone surrogates become U+FFFD. */
export function encodeLabelPairs(labels: readonly Label[], target: Uint8Array): number {
  let position = 0;
  for (const [nameText, valueText] of labels) {
    if (valueText === "") continue;
    const name = encoder.encode(nameText);
    const value = encoder.encode(valueText);
    target[position++] = LABEL;
    const size = 2 + name.length + varintBytes(name.length) + value.length +
      varintBytes(value.length);
    position = putVarint(target, position, size);
    position = putBytes(target, position, NAME, name);
    position = putBytes(target, position, VALUE, value);
  }
  return position;
}

/** The labels by themselves. */
export function protobufLabels(labels: readonly Label[]): ByteRun {
  const bytes = new Uint8Array(maxLabelPairBytes(labels));
  return byteRunOf(bytes.subarray(0, encodeLabelPairs(labels, bytes)));
}

function putBytes(target: Uint8Array, at: number, tag: number, bytes: Uint8Array): number {
  target[at] = tag;
  const start = putVarint(target, at + 1, bytes.length);
  target.set(bytes, start);
  return start + bytes.length;
}

function putVarint(target: Uint8Array, at: number, value: number): number {
  let position = at;
  let rest = value;
  for (; rest > 127; rest >>>= 7) target[position++] = rest & 127 | 128;
  target[position] = rest;
  return position + 1;
}

function varintBytes(value: number): number {
  return value < 128 ? 1 : 1 + varintBytes(value >>> 7);
}
