/** Records for tests, from members with values: fields are packed one after the other. */

import type { Field, RecordBytes } from "../../../src/decode/mod.ts";

type Scalar = number | bigint | boolean;

export interface SampleMember extends Partial<Omit<Field, "name" | "kind">> {
  readonly name: string;
  readonly kind: Field["kind"];
  readonly value?: Scalar | string | Uint8Array | readonly Scalar[];
  /** Lies over the bytes of this earlier member instead of after the last. */
  readonly over?: string;
}

const SIZE: Readonly<Record<string, number>> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  int128: 16,
  uint128: 16,
  float32: 4,
  float64: 8,
};

export function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(".")));
}

export function sampleFields(members: readonly SampleMember[]): Field[] {
  const fields: Field[] = [];
  let end = 0;
  for (const { value: _, over, ...member } of members) {
    const sizeBytes = member.sizeBytes ??
      (SIZE[member.kind] * Math.max(1, member.arrayLength ?? 0));
    const under = fields.find(({ name }) => name === over);
    fields.push({
      arrayLength: 0,
      segment: 0,
      offsetBytes: under?.offsetBytes ?? end,
      bitOffset: 0,
      bitSize: 0,
      parent: parentOf(member.name),
      tags: [],
      annotations: {},
      hidden: false,
      ...member,
      sizeBytes,
    });
    if (under === undefined) end += sizeBytes;
  }
  return fields;
}

function writeScalar(view: DataView, at: { kind: string; offset: number; value: Scalar }): void {
  const { kind, offset } = at;
  if (kind === "float32") return view.setFloat32(offset, Number(at.value), true);
  if (kind === "float64") return view.setFloat64(offset, Number(at.value), true);
  const value = BigInt(at.value);
  for (let i = 0; i < SIZE[kind]; i++) {
    view.setUint8(offset + i, Number((value >> BigInt(8 * i)) & 255n));
  }
}

/** A record of segment 0 with the values of the members, placed 8 bytes into its segment. */
export function sampleRecord(members: readonly SampleMember[]): RecordBytes {
  const fields = sampleFields(members);
  const start = 8;
  const end = Math.max(...fields.map((field) => field.offsetBytes + field.sizeBytes));
  const bytes = new Uint8Array(start + end);
  const view = new DataView(bytes.buffer);
  members.forEach(({ value, kind }, i) => {
    const offset = start + fields[i].offsetBytes;
    if (value === undefined) return;
    if (typeof value === "string") bytes.set(new TextEncoder().encode(value), offset);
    else if (value instanceof Uint8Array) bytes.set(value, offset);
    else {
      [value].flat().forEach((scalar, index) =>
        writeScalar(view, { kind, offset: offset + index * SIZE[kind], value: scalar })
      );
    }
  });
  return { segments: [view], offsets: [start, 0] };
}
