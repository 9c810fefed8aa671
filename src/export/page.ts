/** One page on its way: which families, and how far it has come. */

import type { ByteWriter } from "./_byte_writer.ts";
import { type Family, type FamilyMember, type SetEntry, settle, withMerged } from "./_family.ts";
import { FamilyMessage } from "./_family_message.ts";
import type { LabelArena } from "./_label_arena.ts";
import type { ExpositionFormat } from "./_number_text.ts";
import { writeMetrics } from "./_protobuf_writer.ts";
import { MAX_NEW_LABELS, nextLive, type SampleExtras, writeSamples } from "./_sample_writer.ts";

/** A family and its members as they were when the page began. */
export interface PageFamily {
  readonly family: Family;
  readonly members: readonly FamilyMember[];
}

/** A set whose labels are made before the page begins. */
export interface ArenaEntry extends SetEntry {
  readonly labels: LabelArena;
  readonly protobufLabels: LabelArena;
}

/** What a page is made of. */
export interface PageContent {
  readonly format: ExpositionFormat;
  readonly sets: readonly ArenaEntry[];
  readonly families: readonly PageFamily[];
  /** What stands before the samples of a family: in each of its messages, or once in text. */
  readonly headerOf: (family: Family) => Uint8Array;
  /** What text samples of a family have besides values. */
  readonly extrasOf: (family: Family) => SampleExtras;
  /** Ready bytes behind the families. */
  readonly tail: readonly Uint8Array[];
  readonly onError: (failure: { scope: string; error: unknown }) => void;
}

/**
 * Rows looked at in one call at most, of all sets together. Rows that are not on the page fill no
 * buffer, and with a time to live each costs an atomic load: 20,000 take less than a millisecond.
 */
const MAX_ROWS = 20_000;

/** `"full"`: the buffer needs to be emptied before anything more is written. */
export type PageState = "under way" | "full" | "ended";

/**
 * Writes a page piece by piece. Values are read when they are written, so a slow reader delays nobody.
 *
 * First it makes all labels: of series whose labels are equal only the sum is on the page. While such a
 * pair is met for the first time, another page that is under way may lack it.
 */
export class Page {
  readonly #content: PageContent;
  /** Sets whose labels are made, and the changes of the one at hand when that began. */
  #set = 0;
  #changes = 0;
  /** With sums; absent until all labels are made. */
  #families: readonly PageFamily[] | undefined;
  /** Sets that are left out from where they failed on. */
  readonly #failed: Set<SetEntry>;
  #family = 0;
  #hasHeader = false;
  readonly #message = new FamilyMessage();
  #member = 0;
  #series = 0;
  #tail = 0;
  /** What the call under way may still look at. */
  #rowsLeft = 0;

  constructor(content: PageContent, failed: Set<SetEntry> = new Set()) {
    this.#content = content;
    this.#failed = failed;
  }

  /** A page that goes on from here on its own, with the values as they are by then. */
  fork(): Page {
    const page = new Page(this.#content, this.#failed);
    page.#families = this.#families;
    page.#family = this.#family;
    page.#hasHeader = this.#hasHeader;
    page.#member = this.#member;
    if (this.#families !== undefined) page.#series = this.#series;
    page.#tail = this.#tail;
    return page;
  }

  /**
   * Goes on for a while, at most until the buffer is full. What is written are whole label sets.
   * There may be nothing to write in what a call has looked at.
   */
  writeTo(out: ByteWriter): PageState {
    const start = out.position;
    this.#rowsLeft = MAX_ROWS;
    if (this.#write(out)) return "ended";
    if (out.position > start || this.#rowsLeft < MAX_ROWS) return "under way";
    this.#message.end(out);
    return "full";
  }

  /** True at the end of the page. */
  #write(out: ByteWriter): boolean {
    const { tail } = this.#content;
    const families = this.#families ??= this.#prepare();
    if (families === undefined) return false;
    while (this.#family < families.length) {
      if (!this.#writeFamily(out, families[this.#family])) return false;
      this.#message.end(out);
      this.#family++;
      this.#hasHeader = false;
      this.#member = 0;
    }
    for (; this.#tail < tail.length; this.#tail++) {
      if (!writeBytes(out, tail[this.#tail])) return false;
    }
    return true;
  }

  /** The families with their sums; `undefined` if there are labels still to make. */
  #prepare(): readonly PageFamily[] | undefined {
    const { sets, families } = this.#content;
    for (; this.#set < sets.length; this.#set++) {
      const entry = sets[this.#set];
      try {
        if (!this.#prepareSet(entry)) return undefined;
      } catch {
        // What comes before it is written all the same: there it fails again, and is told.
      }
      this.#series = 0;
    }
    for (const entry of sets) if (!entry.removed) settle(entry);
    return families.map(({ family, members }) => ({ family, members: withMerged(members) }));
  }

  #prepareSet({ set, labels, removed }: ArenaEntry): boolean {
    if (removed) return true;
    if (this.#series === 0) this.#changes = set.changes;
    this.#moveTo(labels.prepare({
      from: this.#series,
      maxRows: this.#rowsLeft,
      maxNew: MAX_NEW_LABELS,
      changes: this.#changes,
    }));
    return this.#series >= set.seriesCount;
  }

  /** True if there is nothing left of the family. */
  #writeFamily(out: ByteWriter, { family, members }: PageFamily): boolean {
    for (; this.#member < members.length; this.#member++) {
      const member = members[this.#member];
      try {
        if (!this.#writeMember(out, family, member)) return false;
      } catch (error) {
        // What was written of the set are whole lines: they stay.
        this.#failed.add(member.entry);
        this.#content.onError({ scope: member.entry.set.scope, error });
      }
      this.#series = 0;
    }
    return true;
  }

  #writeMember(out: ByteWriter, family: Family, member: FamilyMember): boolean {
    const { entry } = member;
    const { format, headerOf, extrasOf } = this.#content;
    if (entry.removed || this.#failed.has(entry)) return true;
    const { set } = entry;
    this.#moveTo(nextLive(set, { from: this.#series, maxRows: this.#rowsLeft }));
    if (this.#series >= set.seriesCount) return true;
    if (this.#rowsLeft === 0) return false;
    const run = { family, member, from: this.#series, maxRows: this.#rowsLeft };
    if (format === "protobuf") {
      const header = headerOf(family);
      this.#moveTo(writeMetrics(out, { ...run, header, message: this.#message }));
      return this.#series >= set.seriesCount;
    }
    if (!this.#hasHeader) {
      if (!writeBytes(out, headerOf(family))) return false;
      this.#hasHeader = true;
    }
    this.#moveTo(writeSamples(out, { ...run, format, extras: extrasOf(family) }));
    return this.#series >= set.seriesCount;
  }

  #moveTo(series: number): void {
    this.#rowsLeft -= series - this.#series;
    this.#series = series;
  }
}

/** False, and nothing written, if what is in the buffer must leave first. */
function writeBytes(out: ByteWriter, bytes: Uint8Array): boolean {
  if (!out.makeRoom(bytes.length)) return false;
  out.bytes(bytes);
  return true;
}
