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
  /** True if an entry that has changed must look its series up again. */
  readonly mayChangeSeries: boolean;
  readonly segments: readonly [SegmentVariables, SegmentVariables];
  /** Emits the filter and, for what it refuses, statements of the caller and `continue`. */
  readonly filter: (refuse?: string) => void;
  /** True if the filter looks at values, so that known entries may come and go by it. */
  readonly filtersValues: boolean;
  /** Assigns `id`. */
  readonly findSeries: () => void;
  /** Adds the differences to series `id`, with the last value at `n`, and remembers the value. */
  readonly update: () => void;
}

/** Emits the loop; the caller declares `p`, `r`, `n` and the store's variables. */
export function emitEntry(writer: CodeWriter, loop: EntryLoop): void {
  const valueWords = Math.ceil(loop.valueSizeBytes / 4);
  const key = keyWordsOf(loop);
  writer.line("const entryScratch = entries.scratch, pass = entries.pass;");
  writer.line("let entryTable, entryMask, entryKeys, previous, previousWords, entrySeries;");
  writer.line("let lastPass, lastChange, entryCount;");
  if (!key.inArray) writer.line(`let ${key.words.map((word) => `${word} = 0`).join(", ")};`);
  writer.line("let e = entries.cursor - 1, same = false;");
  emitEntryReload(writer);
  writer.block("for (let index = 0; index < count; index++)", () => {
    writer.line("p += stride;").line("r += valueStride;");
    if (!loop.filtersValues) loop.filter();
    emitFindEntry(writer, loop, key);
    if (loop.filtersValues) loop.filter("if (e >= 0) entries.hide(e);");
    writer.block("if (e < 0)", () => {
      if (loop.skipZero) {
        emitCompare(writer, loop, { valueWords, other: () => "0" });
        writer.line("if (same) continue;");
      }
      loop.findSeries();
      if (!key.inArray) {
        key.words.forEach((word, index) => writer.line(`entryScratch[${index}] = ${word};`));
      }
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
      writer.line(`if (same${loop.filtersValues ? " && entrySeries[e] >= 0" : ""}) continue;`);
      writer.line("lastChange[e] = pass;");
      if (loop.mayChangeSeries) {
        loop.findSeries();
        writer.line("entries.move(e, id);");
      } else {
        writer.line("id = entrySeries[e];");
      }
    });
    loop.update();
  });
  writer.line("entries.cursor = e + 1;");
}

/** Where the words of the map key in hand are. */
interface EntryKey {
  readonly words: readonly string[];
  /** True if they lie in the entry scratch, because they are many. */
  readonly inArray: boolean;
}

function keyWordsOf({ keySizeBytes }: EntryLoop): EntryKey {
  const count = Math.ceil(keySizeBytes / 4);
  const inArray = count > MAX_UNROLLED_WORDS;
  const name = (index: number) => inArray ? `entryScratch[${index}]` : `f${index}`;
  return { inArray, words: Array.from({ length: count }, (_, index) => name(index)) };
}

function emitEntryReload(writer: CodeWriter): void {
  writer.line("({ table: entryTable, mask: entryMask, keys: entryKeys } = entries);");
  writer.line("({ valueView: previous, values: previousWords } = entries);");
  writer.line("({ series: entrySeries, lastPass, lastChange, size: entryCount } = entries);");
}

/**
 * Reads the map key and assigns `e`, -1 if new. Reads of a map keep their order while nobody adds
 * or removes keys, so the entry behind the last one is tried before the table.
 */
function emitFindEntry(writer: CodeWriter, loop: EntryLoop, key: EntryKey): void {
  emitWords(writer, {
    segment: loop.segments[0],
    sizeBytes: loop.keySizeBytes,
    assign: (index, value) => `${key.inArray ? `entryScratch[${index}]` : `f${index}`} = ${value};`,
  });
  writer.line("e++;");
  writer.line(`k = e * ${key.words.length};`);
  emitSameKey(writer, key);
  writer.block("if (e >= entryCount || !same)", () => {
    emitHash(writer, key.words);
    writer.line("slot = h & entryMask;");
    writer.block("for (;;)", () => {
      writer.line("e = entryTable[slot] - 1;");
      writer.line("if (e < 0) break;");
      writer.line(`k = e * ${key.words.length};`);
      emitSameKey(writer, key);
      writer.line("if (same) break;");
      writer.line("slot = slot + 1 & entryMask;");
    });
  });
}

/** Assigns `same`: whether the key in hand is the one at `k`. */
function emitSameKey(writer: CodeWriter, { words, inArray }: EntryKey): void {
  if (inArray) {
    writer.line("j = 0;");
    writer.line(`while (j < ${words.length} && entryKeys[k + j] === entryScratch[j]) j++;`);
    writer.line(`same = j === ${words.length};`);
    return;
  }
  const equal = words.map((word, index) => `entryKeys[k + ${index}] === ${word}`);
  writer.line(`same = ${equal.join(" && ")};`);
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
