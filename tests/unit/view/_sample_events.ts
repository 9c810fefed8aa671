/** A data source with every kind of field, and some of its events. */

import type { Field, FieldFormatter, RecordBytes } from "../../../src/decode/mod.ts";
import { createFormatters } from "../../../src/enrich/mod.ts";
import { sampleEnvironment } from "../enrich/sample_environment.ts";
import { sampleFields, type SampleMember, sampleRecord } from "../enrich/sample_record.ts";

export interface SampleEvents {
  readonly fields: readonly Field[];
  readonly formatters: ReadonlyMap<Field, FieldFormatter>;
  readonly records: readonly RecordBytes[];
}

/** Same members with other values for each event. */
export function sampleEvents(
  members: readonly SampleMember[],
  events: readonly Readonly<Record<string, SampleMember["value"]>>[],
): SampleEvents {
  const fields = sampleFields(members);
  return {
    fields,
    formatters: createFormatters(fields, sampleEnvironment()),
    records: events.map((values) =>
      sampleRecord(
        members.map((member) => ({ ...member, value: values[member.name] ?? member.value })),
      )
    ),
  };
}

export const OPEN_MEMBERS: readonly SampleMember[] = [
  {
    name: "timestamp_raw",
    kind: "uint64",
    hidden: true,
    value: 10_000_000_000n,
  },
  {
    name: "timestamp",
    kind: "uint64",
    over: "timestamp_raw",
    hidden: true,
    format: { type: "timestamp" },
    annotations: { "columns.width": "35", "columns.maxwidth": "35" },
  },
  { name: "proc", kind: "bytes", sizeBytes: 0, hidden: true },
  {
    name: "proc.comm",
    kind: "cstring",
    sizeBytes: 16,
    annotations: { "columns.maxwidth": "16", "columns.alias": "comm" },
  },
  {
    name: "proc.pid",
    kind: "uint32",
    annotations: {
      "columns.minwidth": "7",
      "columns.width": "7",
      "columns.alignment": "right",
      "columns.alias": "pid",
    },
  },
  { name: "error_raw", kind: "uint32", hidden: true },
  {
    name: "error",
    kind: "uint32",
    over: "error_raw",
    format: { type: "errno" },
    annotations: { "columns.width": "12" },
  },
  { name: "fname", kind: "cstring", sizeBytes: 64, annotations: { "columns.width": "24" } },
];

export const OPEN_EVENTS = [
  { "proc.comm": "bash", "proc.pid": 42, fname: "/etc/passwd" },
  {
    "proc.comm": "a-16-char-comm!!",
    "proc.pid": 4194304,
    error_raw: 2,
    fname: "/a/very/long/path/that/does/not/fit/into/its/column",
  },
  { "proc.comm": "日本語テスト", "proc.pid": 7, error_raw: 13, fname: "naïve 🎉.txt" },
  { "proc.comm": "x\x1b[31mred\n", "proc.pid": 1, fname: "tab\there\x7f‮gpj" },
];
