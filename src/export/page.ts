/** One page on its way: which families, and how far it has come. */

import type { ByteWriter } from "./_byte_writer.ts";
import type { Family, FamilyMember, SetEntry } from "./_family.ts";
import type { TextExposition } from "./_number_text.ts";
import { nextLive, writeSamples } from "./_sample_writer.ts";

/** A family and its members as they were when the page began. */
export interface PageFamily {
  readonly family: Family;
  readonly members: readonly FamilyMember[];
}

/** What a page is made of. */
export interface PageContent {
  readonly format: TextExposition;
  readonly families: readonly PageFamily[];
  readonly headerOf: (family: Family) => string;
  /** Ready text behind the families. */
  readonly tail: readonly Uint8Array[];
  readonly onError: (failure: { scope: string; error: unknown }) => void;
}

const encoder = new TextEncoder();

/** Writes a page piece by piece. Values are read when they are written, so a slow reader delays nobody. */
export class Page {
  readonly #content: PageContent;
  /** Sets that are left out from where they failed on. */
  readonly #failed: Set<SetEntry>;
  #family = 0;
  #hasHeader = false;
  #member = 0;
  #series = 0;
  #tail = 0;

  constructor(content: PageContent, failed: Set<SetEntry> = new Set()) {
    this.#content = content;
    this.#failed = failed;
  }

  /** A page that goes on from here on its own, with the values as they are by then. */
  fork(): Page {
    const page = new Page(this.#content, this.#failed);
    page.#family = this.#family;
    page.#hasHeader = this.#hasHeader;
    page.#member = this.#member;
    page.#series = this.#series;
    page.#tail = this.#tail;
    return page;
  }

  /**
   * Goes on for a while, at most until the buffer is full; true at the end of the page. What is
   * written are whole label sets. If the position of `out` has not moved, it needs to be emptied.
   */
  writeTo(out: ByteWriter): boolean {
    const { families, tail } = this.#content;
    while (this.#family < families.length) {
      if (!this.#writeFamily(out, families[this.#family])) return false;
      this.#family++;
      this.#hasHeader = false;
      this.#member = 0;
    }
    for (; this.#tail < tail.length; this.#tail++) {
      if (!writeBytes(out, tail[this.#tail])) return false;
    }
    return true;
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
    const { format, headerOf } = this.#content;
    if (entry.removed || this.#failed.has(entry)) return true;
    this.#series = nextLive(entry.set, this.#series);
    if (this.#series >= entry.set.seriesCount) return true;
    if (!this.#hasHeader) {
      if (!writeBytes(out, encoder.encode(headerOf(family)))) return false;
      this.#hasHeader = true;
    }
    this.#series = writeSamples(out, { family, member, format, from: this.#series });
    return this.#series >= entry.set.seriesCount;
  }
}

/** False, and nothing written, if what is in the buffer must leave first. */
function writeBytes(out: ByteWriter, bytes: Uint8Array): boolean {
  if (!out.makeRoom(bytes.length)) return false;
  out.bytes(bytes);
  return true;
}
