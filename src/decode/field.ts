/**
 * Fields: what kmeter knows of one value inside an event or a map entry.
 *
 * A field names bytes at a fixed place of a *record*. A record is one memory block for events and
 * iterators (segment 0), and two for map entries: the key (segment 0) and the value (segment 1).
 */

/** Integer kinds, by width in bits and sign. All are little endian. */
export type IntegerKind =
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "int128"
  | "uint128";

/** Kinds of a field, or of one element if the field is an array. */
export type FieldKind = IntegerKind | "bool" | "float32" | "float64" | "cstring" | "bytes";

/** One enumerator: value as bigint, since BTF enums may be 64 bits wide. */
export interface Enumerator {
  readonly name: string;
  readonly value: bigint;
}

/** How a raw value becomes text. `decode` only carries it; `enrich` does it. */
export type TextFormat =
  | {
    readonly type: "enum";
    readonly enumerators: readonly Enumerator[];
    readonly isSet: boolean;
    readonly separator: string;
  }
  | { readonly type: "timestamp"; readonly layout?: string }
  | {
    readonly type:
      | "errno"
      | "signal"
      | "syscall"
      | "uid"
      | "gid"
      | "bytes"
      | "duration"
      | "file_mode"
      | "file_flags"
      | "ip_addr"
      | "l4_endpoint"
      | "l4_proto"
      | "kernel_stack";
  };

/** One field of a data source. */
export interface Field {
  /** Full dotted name, for example `proc.comm`. Members of anonymous structs belong to the parent. */
  readonly name: string;
  readonly kind: FieldKind;
  /** Number of elements; 0 for a field that is not an array. Always 0 for `cstring` and `bytes`. */
  readonly arrayLength: number;
  /** Memory block that holds the field: 0 = event or map key, 1 = map value. */
  readonly segment: 0 | 1;
  /** Offset in bytes of the storage unit from the start of the segment. */
  readonly offsetBytes: number;
  /** Size in bytes of the whole field; for a bitfield, of its storage unit. */
  readonly sizeBytes: number;
  /** First bit within the storage unit; 0 unless a bitfield. */
  readonly bitOffset: number;
  /** Width in bits; 0 unless a bitfield. */
  readonly bitSize: number;
  /** Full name of the enclosing struct or union field; "" at the top. */
  readonly parent: string;
  /** `type:<T>` for every name of the typedef chain, `name:<member>`, `src:ebpf`, `role:key`. */
  readonly tags: readonly string[];
  /** Merged annotations; values are always strings. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Present on a text field: the same bytes as its raw field, shown through this format. */
  readonly format?: TextFormat;
  /** True for fields that columns leave out unless asked for by name. */
  readonly hidden: boolean;
}

/** A value as the display sees it. `uint64` and `int64` are bigint; 128-bit values are `0x…` text. */
export type FieldValue =
  | number
  | bigint
  | boolean
  | string
  | Uint8Array
  | readonly (number | bigint | boolean | string)[];

/** Turns a field's raw value into text; made by `enrich`, used by `metrics` (labels) and `view`. */
export type FieldFormatter = (record: RecordBytes) => string;

/** One record: segment 0 and, for map entries, segment 1. Both are lent: copy what must outlive the call. */
export interface RecordBytes {
  readonly segments: readonly [DataView] | readonly [DataView, DataView];
  /** Byte offset of the record within each segment. Mutable: cursors are reused. */
  readonly offsets: [number, number];
}
