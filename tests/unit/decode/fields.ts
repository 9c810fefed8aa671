/** What the decode tests share: the fixture's types, fields by name, records over bytes. */

import { type Btf, parseBtf } from "../../../src/btf/mod.ts";
import { deriveFields, type Field, type RecordBytes } from "../../../src/decode/mod.ts";

export const fixtures = new URL("../../fixtures/btf/", import.meta.url);

export function readShapes(): Btf {
  return parseBtf(Deno.readFileSync(new URL("shapes.btf", fixtures)));
}

/** Fields of a struct of the fixture. */
export function fieldsOf(struct: string): Field[] {
  const btf = readShapes();
  const id = btf.findByName("struct", struct);
  if (id === undefined) throw new Error(`the fixture has no struct ${struct}`);
  return deriveFields(btf, id, { segment: 0 }).fields;
}

export function fieldNamed(fields: readonly Field[], name: string): Field {
  const found = fields.find((field) => field.name === name);
  if (found === undefined) throw new Error(`no field ${name}`);
  return found;
}

/** A record at an odd place: `bytes` begin `offset` bytes into the buffer. */
export function recordOf(bytes: Uint8Array, offset = 0): RecordBytes {
  const buffer = new Uint8Array(offset + bytes.length);
  buffer.set(bytes, offset);
  return { segments: [new DataView(buffer.buffer)], offsets: [offset, 0] };
}

/** A field with every part that a test does not care about. */
export function makeField(parts: Partial<Field> & Pick<Field, "kind" | "sizeBytes">): Field {
  return {
    name: "f",
    arrayLength: 0,
    segment: 0,
    offsetBytes: 0,
    bitOffset: 0,
    bitSize: 0,
    parent: "",
    tags: [],
    annotations: {},
    hidden: false,
    ...parts,
  };
}
