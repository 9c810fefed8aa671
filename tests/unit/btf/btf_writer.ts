/** Writes small BTF blobs, honest or hostile: nothing here checks anything. */

/** Kind numbers of Linux `include/uapi/linux/btf.h`, written down again as an oracle. */
const KINDS = {
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  fwd: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  func: 12,
  func_proto: 13,
  var: 14,
  datasec: 15,
  float: 16,
  decl_tag: 17,
  type_tag: 18,
  enum64: 19,
  future: 20,
} as const;

export interface RecordParts {
  readonly kind: keyof typeof KINDS;
  readonly name?: string;
  /** Replaces the offset that `name` gets. */
  readonly nameOffset?: number;
  /** The third word of the header: size in bytes or type id. */
  readonly sizeOrType?: number;
  /** Number of items said in the header. */
  readonly count?: number;
  readonly kindFlag?: boolean;
  /** What follows the header: words, or texts that become string offsets. */
  readonly words?: readonly (number | string)[];
}

export class BtfWriter {
  readonly #words: number[] = [];
  readonly #strings: number[] = [0];
  #lastId = 0;

  /** Adds a type and returns its id. */
  add(parts: RecordParts): number {
    const info = (parts.count ?? 0) | KINDS[parts.kind] << 24 | (parts.kindFlag ? 1 << 31 : 0);
    const name = parts.nameOffset ?? this.#string(parts.name ?? "");
    this.#words.push(name, info, parts.sizeOrType ?? 0);
    for (const word of parts.words ?? []) {
      this.#words.push(typeof word === "string" ? this.#string(word) : word);
    }
    return ++this.#lastId;
  }

  /** An unsigned integer type. */
  addUint(name: string, sizeBytes: number): number {
    return this.add({ kind: "int", name, sizeOrType: sizeBytes, words: [sizeBytes * 8] });
  }

  addStruct(
    name: string,
    sizeBytes: number,
    members: readonly (readonly [name: string, type: number, offsetBits: number])[],
    kind: "struct" | "union" = "struct",
  ): number {
    return this.add({
      kind,
      name,
      sizeOrType: sizeBytes,
      count: members.length,
      words: members.flat(),
    });
  }

  /** `header` replaces words of the 24-byte header by index. */
  toBytes(header: Readonly<Record<number, number>> = {}): Uint8Array {
    const typesBytes = this.#words.length * 4;
    const all = [0x0001eb9f, 24, 0, typesBytes, typesBytes, this.#strings.length, ...this.#words];
    const bytes = new Uint8Array(all.length * 4 + this.#strings.length);
    const view = new DataView(bytes.buffer);
    all.forEach((word, i) => view.setUint32(i * 4, (header[i] ?? word) >>> 0, true));
    bytes.set(this.#strings, all.length * 4);
    return bytes;
  }

  #string(text: string): number {
    if (text === "") return 0;
    const offset = this.#strings.length;
    this.#strings.push(...new TextEncoder().encode(text), 0);
    return offset;
  }
}
