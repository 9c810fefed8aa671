/** Emits the code that notes a record as its series' exemplar. */

import { type CodeWriter, emitKeyWords, emitNumber, type SegmentVariables } from "../decode/mod.ts";
import type { MetricsPlan } from "./plan.ts";
import { rowLayout } from "./series_memory.ts";

/**
 * Emits nothing without an exemplar field. One event of a series in each batch is enough: more would
 * cost time, and leave readers no moment to read one. Variables in use: `row`, the views `words` and
 * `floats`; scratch `t`. The version is odd while the words are written: see `ExemplarLayout`.
 */
export function emitExemplar(
  writer: CodeWriter,
  plan: MetricsPlan,
  segments: readonly [SegmentVariables, SegmentVariables],
): void {
  const layout = rowLayout(plan).exemplar;
  if (plan.exemplar === undefined || layout === undefined) return;
  const { parts } = plan.exemplar;
  const { versionWord, timeOffset, valueOffsets } = layout;
  writer.line("// exemplar");
  writer.block(`if (floats[row + ${timeOffset}] !== store.wallMs)`, () => {
    writer.line(`t = row * 2 + ${versionWord};`);
    writer.line("Atomics.store(words, t, words[t] + 1 | 0);");
    for (const { field, firstWord } of parts) {
      emitKeyWords(writer, field, {
        segment: segments[field.segment],
        word: (index) => `words[t + ${1 + firstWord + index}]`,
      });
    }
    plan.instruments.forEach(({ field }, index) => {
      const offset = valueOffsets[index];
      if (field === undefined || offset < 0) return;
      writer.line(`floats[row + ${offset}] = ${emitNumber(field, segments[field.segment])};`);
    });
    writer.line(`floats[row + ${timeOffset}] = store.wallMs;`);
    writer.line("Atomics.store(words, t, words[t] + 1 | 0);");
  });
}
