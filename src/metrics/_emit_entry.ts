/** Emits the loop over map entries whose totals are followed. */

import {
  type CodeWriter,
  emitHash,
  emitUint,
  emitWord,
  MAX_UNROLLED_WORDS,
  type SegmentVariables,
} from "../decode/mod.ts";

/** The parts of the loop. */
export interface EntryLoop {
  readonly keySizeBytes: number;
  readonly valueSizeBytes: number;
  /** Leave out new entries that are all zeros. */
  readonly skipZero: boolean;
  /** True if a metric key lies in the value, so that an entry may change its series. */
  readonly keysInValue: boolean;
  readonly segments: readonly [SegmentVariables, SegmentVariables];
  readonly filter: () => void;
  /** Assigns `id`. */
  readonly findSeries: () => void;
  /** Adds the differences to series `id`, with the last value at `n`, and remembers the value. */
  readonly update: () => void;
}

/** Emits the loop; the caller declares `p`, `r`, `n` and the store's variables. */
export function emitEntry(writer: CodeWriter, loop: EntryLoop): void {
  const keyWords = Math.ceil(loop.keySizeBytes / 4);
  const valueWords = Math.ceil(loop.valueSizeBytes / 4);
  writer.line("const entryScratch = entries.scratch, pass = entries.pass;");
  writer.line(
    "let entryTable, entryMask, entryKeys, previous, previousWords, entrySeries, lastPass, lastChange;",
  );
  writer.line("let e = 0, same = false;");
  emitEntryReload(writer);
  writer.block("for (let row = 0; row < count; row++)", () => {
    writer.line("p += stride;").line("r += valueStride;");
    loop.filter();
    emitFindEntry(writer, loop, keyWords);
    writer.block("if (e < 0)", () => {
      if (loop.skipZero) {
        emitCompare(writer, loop, { valueWords, other: () => "0" });
        writer.line("if (same) continue;");
      }
      loop.findSeries();
      writer.line("e = entries.insert(id);");
      emitEntryReload(writer);
      writer.line(`n = e * ${valueWords * 4};`);
    });
    writer.block("else", () => {
      writer.line("lastPass[e] = pass;");
      writer.line(`n = e * ${valueWords * 4};`);
      emitCompare(writer, loop, {
        valueWords,
        other: (index) => `previousWords[e * ${valueWords} + ${index}]`,
      });
      writer.line("if (same) continue;");
      writer.line("lastChange[e] = pass;");
      if (loop.keysInValue) {
        loop.findSeries();
        writer.line("if (id !== entrySeries[e]) entries.move(e, id);");
      } else {
        writer.line("id = entrySeries[e];");
      }
    });
    loop.update();
  });
}

function emitEntryReload(writer: CodeWriter): void {
  writer.line("({ table: entryTable, mask: entryMask, keys: entryKeys } = entries);");
  writer.line("({ valueView: previous, values: previousWords } = entries);");
  writer.line("({ series: entrySeries, lastPass, lastChange } = entries);");
}

/** Reads the map key into the entry scratch and assigns `e`, -1 if new. */
function emitFindEntry(writer: CodeWriter, loop: EntryLoop, keyWords: number): void {
  const [key] = loop.segments;
  emitWords(writer, {
    segment: key,
    sizeBytes: loop.keySizeBytes,
    assign: (index, value) => `entryScratch[${index}] = ${value};`,
  });
  emitHashKey(writer, keyWords);
  writer.line("slot = h & entryMask;");
  writer.block("for (;;)", () => {
    writer.line("e = entryTable[slot] - 1;");
    writer.line("if (e < 0) break;");
    writer.line(`k = e * ${keyWords};`);
    if (keyWords <= MAX_UNROLLED_WORDS) {
      const equal = Array.from(
        { length: keyWords },
        (_, index) => `entryKeys[k + ${index}] === entryScratch[${index}]`,
      );
      writer.line(`if (${equal.join(" && ")}) break;`);
    } else {
      writer.line("j = 0;");
      writer.line(`while (j < ${keyWords} && entryKeys[k + j] === entryScratch[j]) j++;`);
      writer.line(`if (j === ${keyWords}) break;`);
    }
    writer.line("slot = slot + 1 & entryMask;");
  });
}

function emitHashKey(writer: CodeWriter, keyWords: number): void {
  emitHash(writer, Array.from({ length: keyWords }, (_, index) => `entryScratch[${index}]`));
}

/** Assigns `same`: whether the value equals other words. */
function emitCompare(
  writer: CodeWriter,
  loop: EntryLoop,
  options: { valueWords: number; other: (index: string) => string },
): void {
  const [, value] = loop.segments;
  const { valueWords, other } = options;
  const whole = Math.floor(loop.valueSizeBytes / 4);
  const rest = loop.valueSizeBytes % 4;
  const tail = rest === 0
    ? []
    : [`(${partialWord(value, whole * 4, rest)}) === ${other(String(whole))}`];
  if (valueWords <= MAX_UNROLLED_WORDS) {
    const words = Array.from(
      { length: whole },
      (_, index) => `${emitWord(value, index * 4)} === ${other(String(index))}`,
    );
    writer.line(`same = ${[...words, ...tail].join(" && ") || "true"};`);
    return;
  }
  const word = `${value.view}.getInt32(${value.base} + j * 4, true)`;
  writer.line("j = 0;");
  writer.line(`while (j < ${whole} && ${word} === ${other("j")}) j++;`);
  writer.line(`same = ${[`j === ${whole}`, ...tail].join(" && ")};`);
}

/** Copies the value over the last one. */
export function emitRememberValue(
  writer: CodeWriter,
  valueSizeBytes: number,
  value: SegmentVariables,
): void {
  emitWords(writer, {
    segment: value,
    sizeBytes: valueSizeBytes,
    assign: (index, word) =>
      `previousWords[e * ${Math.ceil(valueSizeBytes / 4)} + ${index}] = ${word};`,
  });
}

/** Emits one assignment per word of a block, or a loop if there are many. */
function emitWords(
  writer: CodeWriter,
  options: {
    segment: SegmentVariables;
    sizeBytes: number;
    assign: (index: string, value: string) => string;
  },
): void {
  const { segment, sizeBytes, assign } = options;
  const whole = Math.floor(sizeBytes / 4);
  if (whole <= MAX_UNROLLED_WORDS) {
    for (let index = 0; index < whole; index++) {
      writer.line(assign(String(index), emitWord(segment, index * 4)));
    }
  } else {
    const word = `${segment.view}.getInt32(${segment.base} + j * 4, true)`;
    writer.line(`for (j = 0; j < ${whole}; j++) ${assign("j", word)}`);
  }
  const rest = sizeBytes % 4;
  if (rest !== 0) writer.line(assign(String(whole), partialWord(segment, whole * 4, rest)));
}

function partialWord(segment: SegmentVariables, offset: number, sizeBytes: number): string {
  if (sizeBytes === 1) return emitUint(segment, offset, 1);
  if (sizeBytes === 2) return emitUint(segment, offset, 2);
  return `${emitUint(segment, offset, 2)} | ${emitUint(segment, offset + 2, 1)} << 16`;
}
