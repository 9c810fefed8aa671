/**
 * Reading all five fields of 10,000 events of the fixture filler, as they lay in the ring buffer:
 * the text up to its NUL as key words, numbers as doubles. And making rows of them. Times are per
 * 10,000 events.
 */

import { readBootTimeNs } from "../ffi/mod.ts";
import {
  CodeWriter,
  emitKeyWords,
  emitNumber,
  type Field,
  isNumericKind,
  keyWordCount,
  readKeyWords,
  readNumber,
  type RecordBytes,
} from "../src/decode/mod.ts";
import { createFormatters, hostEnvironment } from "../src/enrich/mod.ts";
import { RING_HEADER_BYTES } from "../src/metrics/mod.ts";
import { openEventReader, RingBuffer } from "../src/sources/mod.ts";
import { createRowView, type RowViewMode } from "../src/view/mod.ts";
import { loadFixture } from "./fixture.ts";

const EVENTS = 10_000;
const EVENT_BYTES = 40;
const STRIDE_BYTES = RING_HEADER_BYTES + EVENT_BYTES;

/** Sums up what it reads, so that nothing of it can be left out. */
type ReadAll = (view: DataView) => number;

const fixture = loadFixture("filler");
const { fields } = fixture.gadget.spec.dataSources[0];
const formatters = createFormatters(
  fields,
  hostEnvironment({ readClocks: () => ({ bootNs: readBootTimeNs(), wallNs: 0n }) }),
);
const events = await recordEvents();

/** Bytes of a ring with all events in it, headers included. */
async function recordEvents(): Promise<DataView> {
  const map = fixture.object.maps().find(({ name }) => name === "ring");
  if (map === undefined) throw new Error("fixture filler has no map ring");
  using ring = new RingBuffer(map);
  await fixture.fill(EVENTS, 1000, 0);
  const bytes = new Uint8Array(EVENTS * STRIDE_BYTES);
  let at = 0;
  openEventReader(ring.handle).withLeases(({ view, begin, end }) => {
    bytes.set(new Uint8Array(view.buffer, view.byteOffset + begin, end - begin), at);
    at += end - begin;
    return end;
  }, Infinity);
  if (at !== bytes.length) throw new Error(`the ring held ${at} bytes`);
  return new DataView(bytes.buffer);
}

/** What somebody would write who knows the struct. */
const readByHand: ReadAll = (view) => {
  let sum = 0;
  for (let at = RING_HEADER_BYTES; at < view.byteLength; at += STRIDE_BYTES) {
    for (let word = at; word < at + 16; word += 4) {
      const text = view.getInt32(word, true);
      const zeros = text - 0x01010101 & ~text & 0x80808080;
      if (zeros === 0) {
        sum += text;
        continue;
      }
      // What lies behind the NUL does not count.
      sum += text & ((zeros & -zeros) >>> 7) - 1;
      break;
    }
    sum += view.getUint32(at + 16, true) + view.getUint32(at + 20, true);
    sum += view.getUint32(at + 28, true) * 4294967296 + view.getUint32(at + 24, true);
    sum += view.getUint32(at + 36, true) * 4294967296 + view.getUint32(at + 32, true);
  }
  return sum;
};

/** A loop of what `decode` generates for each field. */
function generateReader(): ReadAll {
  const writer = new CodeWriter();
  const segment = { view: "view", base: "at" };
  writer.line("let sum = 0, z = 0;");
  writer.block(
    `for (let at = ${RING_HEADER_BYTES}; at < view.byteLength; at += ${STRIDE_BYTES})`,
    () => {
      for (const field of fields) {
        if (isNumericKind(field.kind)) {
          writer.line(`sum += ${emitNumber(field, segment)};`);
          continue;
        }
        const names = Array.from({ length: keyWordCount(field) }, (_, word) => `w${word}`);
        writer.line(`let ${names.join(", ")};`);
        emitKeyWords(writer, field, { segment, word: (index) => names[index] });
        for (const name of names) writer.line(`sum += ${name};`);
      }
    },
  );
  writer.line("return sum;");
  return new Function("view", writer.toString()) as ReadAll;
}

const readInterpreted: ReadAll = (view) => {
  let sum = 0;
  for (let at = RING_HEADER_BYTES; at < view.byteLength; at += STRIDE_BYTES) {
    const record: RecordBytes = { segments: [view], offsets: [at, 0] };
    for (const field of fields) sum += readOne(field, record);
  }
  return sum;
};

function readOne(field: Field, record: RecordBytes): number {
  if (isNumericKind(field.kind)) return readNumber(field, record);
  return readKeyWords(field, record).reduce((sum, word) => sum + (word | 0), 0);
}

function rowText(mode: RowViewMode): () => number {
  const view = createRowView(mode, { fields, formatters, widthColumns: () => 120, isTty: false });
  const record = { segments: [events] as const, offsets: [0, 0] as [number, number] };
  return () => {
    let characters = 0;
    for (let at = RING_HEADER_BYTES; at < events.byteLength; at += STRIDE_BYTES) {
      record.offsets[0] = at;
      characters += view.row(record).length;
    }
    return characters;
  };
}

const readGenerated = generateReader();
const sum = readByHand(events);
if (readGenerated(events) !== sum) throw new Error("BUG: the generated code reads something else");
if (readInterpreted(events) !== sum) throw new Error("BUG: the interpreter reads something else");

Deno.bench("DataView code by hand", { group: "decode", baseline: true }, () => {
  readByHand(events);
});
Deno.bench("generated code", { group: "decode" }, () => {
  readGenerated(events);
});
Deno.bench("interpreter (the specification)", { group: "decode" }, () => {
  readInterpreted(events);
});
for (const mode of ["columns", "json"] as const) {
  const text = rowText(mode);
  Deno.bench(`rows as ${mode}`, { group: "decode" }, () => {
    text();
  });
}
