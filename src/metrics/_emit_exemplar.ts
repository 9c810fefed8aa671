/** Emits the code that notes a record as its series' exemplar. */

import { type CodeWriter, emitKeyWords, emitNumber, type SegmentVariables } from "../decode/mod.ts";
import type { MetricsPlan } from "./plan.ts";
import { rowLayout } from "./series_memory.ts";

/**
 * Emits nothing without an exemplar field. Variables in use: `row`, the views `words` and `floats`;
 * scratch `t`. The version is odd while the words are written: see `SeriesMemory`.
 */
export function emitExemplar(
  writer: CodeWriter,
  plan: MetricsPlan,
  segments: readonly [SegmentVariables, SegmentVariables],
): void {
  const layout = rowLayout(plan).exemplar;
  if (plan.exemplar === undefined || layout === undefined) return;
  writer.line("// exemplar");
  writer.line(`t = row * 2 + ${layout.versionWord};`);
  writer.line("Atomics.store(words, t, words[t] + 1 | 0);");
  for (const { field, firstWord } of plan.exemplar.parts) {
    emitKeyWords(writer, field, {
      segment: segments[field.segment],
      word: (index) => `words[t + ${1 + firstWord + index}]`,
    });
  }
  plan.instruments.forEach(({ field }, index) => {
    const offset = layout.valueOffsets[index];
    if (field === undefined || offset < 0) return;
    writer.line(`floats[row + ${offset}] = ${emitNumber(field, segments[field.segment])};`);
  });
  writer.line(`floats[row + ${layout.timeOffset}] = store.wallMs;`);
  writer.line("Atomics.store(words, t, words[t] + 1 | 0);");
}
