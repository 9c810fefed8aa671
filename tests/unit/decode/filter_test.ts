// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import {
  type Field,
  type FieldFormatter,
  type FilterChecks,
  matchesFilter,
  parseFilter,
  readField,
} from "../../../src/decode/mod.ts";
import { UsageError } from "../../../src/errors.ts";
import { makeField, recordOf } from "./fields.ts";

const STATE = {
  type: "enum",
  enumerators: [{ name: "STOPPED", value: 0n }, { name: "RUNNING", value: 1n }],
  isSet: false,
  separator: "|",
} as const;

const fields: Field[] = [
  makeField({ name: "proc.comm", kind: "cstring", sizeBytes: 8, offsetBytes: 0 }),
  makeField({ name: "pid", kind: "uint32", sizeBytes: 4, offsetBytes: 8 }),
  makeField({ name: "big", kind: "uint64", sizeBytes: 8, offsetBytes: 12 }),
  makeField({ name: "ret", kind: "int16", sizeBytes: 2, offsetBytes: 20 }),
  makeField({ name: "ok", kind: "bool", sizeBytes: 1, offsetBytes: 22 }),
  makeField({ name: "load", kind: "float32", sizeBytes: 4, offsetBytes: 23 }),
  makeField({ name: "state", kind: "uint8", sizeBytes: 1, offsetBytes: 27, format: STATE }),
  makeField({
    name: "error",
    kind: "uint8",
    sizeBytes: 1,
    offsetBytes: 28,
    format: { type: "errno" },
  }),
  makeField({
    name: "addr",
    kind: "bytes",
    sizeBytes: 4,
    offsetBytes: 29,
    format: { type: "ip_addr" },
  }),
  makeField({ name: "wide", kind: "int128", sizeBytes: 16, offsetBytes: 33 }),
  makeField({ name: "raw", kind: "bytes", sizeBytes: 4, offsetBytes: 29 }),
  makeField({ name: "slots", kind: "uint8", sizeBytes: 2, arrayLength: 2, offsetBytes: 29 }),
];

/** comm "cat, sh", pid 42, big 2^53+1, ret -2, ok, load 0.1, RUNNING, ENOENT, 127.0.0.1, wide -1. */
function sampleRecord() {
  const bytes = new Uint8Array(49);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("cat, sh"));
  view.setUint32(8, 42, true);
  view.setBigUint64(12, 2n ** 53n + 1n, true);
  view.setInt16(20, -2, true);
  view.setUint8(22, 1);
  view.setFloat32(23, 0.1, true);
  view.setUint8(27, 1);
  view.setUint8(28, 2);
  bytes.set([127, 0, 0, 1], 29);
  bytes.fill(0xff, 33);
  return recordOf(bytes, 3);
}

const formatters = new Map<Field, FieldFormatter>(
  fields.filter((field) => field.format !== undefined).map((field) => [
    field,
    (record) =>
      field.name === "state"
        ? STATE.enumerators[Number(readField(field, record))].name
        : field.name === "error"
        ? "ENOENT"
        : "127.0.0.1",
  ]),
);

Deno.test("terms compare as the kind of their field demands", () => {
  const cases: [filter: string, want: boolean][] = [
    ["", true],
    ["pid==42", true],
    ["pid=42", true],
    ["pid==0x2a", true],
    [" PID == 42 ", true],
    ["pid!=42", false],
    ["pid>=42", true],
    ["pid<=41", false],
    ["pid>41", true],
    ["pid<42", false],
    ["ret==-2", true],
    ["ret<0", true],
    ["ret>-3", true],
    ["big==9007199254740993", true],
    ["big==9007199254740992", false],
    ["big>9007199254740992", true],
    ["wide==-1", true],
    ["wide<0", true],
    ["load==0.1", true],
    ["load>1e-1", false],
    ["ok==true", true],
    ["ok!=TRUE", false],
    ["ok==0", false],
    ["proc.comm==cat\\, sh", true],
    ["proc.comm!=cat", true],
    ["proc.comm>cat", true],
    ["proc.comm~^cat", true],
    ["proc.comm~^cat\\,\\s+sh$", true],
    ["proc.comm!~sh$", false],
    ["proc.comm~CAT", false],
    ["proc.comm~(?i)CAT", true],
    ["proc.comm==a==b", false],
    ["state==RUNNING", true],
    ["state==1", true],
    ["state>STOPPED", true],
    ["state~^RUN", true],
    ["error==ENOENT", true],
    ["error==2", true],
    ["error>=1", true],
    ["error~^EPERM$", false],
    ["addr==127.0.0.1", true],
    ["addr~^10\\.", false],
    ["pid==42,ret==-2,ok==1", true],
    ["pid==42,ret==-1", false],
  ];
  for (const [filter, want] of cases) {
    assertEquals(
      matchesFilter(parseFilter(filter, fields), sampleRecord(), formatters),
      want,
      filter,
    );
  }
});

Deno.test("filters that cannot work are refused with what to do", () => {
  const cases: [filter: string, message: string, hint?: string][] = [
    ["pd==1", 'Filter "pd==1": no field "pd"', 'did you mean "pid"? There are: proc.comm, pid'],
    ["pid", 'Filter "pid": wanted a field, an operator and a value', "operators are =="],
    ["==1", 'Filter "==1": wanted a field'],
    ["pid==1,", 'Filter "": wanted a field'],
    ["pid==", 'Filter "pid==": wanted an integer; field pid is uint32'],
    ["pid==1.5", "wanted an integer"],
    ["pid==0x", "wanted an integer"],
    ["pid~4", "regular expressions need a text field; field pid is uint32"],
    ["load==fast", "wanted a number"],
    ["load==", "wanted a number"],
    ["ok==yes", "wanted true or false"],
    ["ok>0", "a bool has no order"],
    ["proc.comm~(", 'Filter "proc.comm~(": Invalid regular expression'],
    ["state==RUNING", 'no enumerator "RUNING"; field state is uint8 as enum', 'mean "RUNNING"?'],
    ["raw==1", "raw bytes cannot be filtered"],
    ["slots==1", "an array cannot be filtered"],
  ];
  for (const [filter, message, hint = ""] of cases) {
    const error = assertThrows(() => parseFilter(filter, fields), UsageError, message, filter);
    assertEquals(error.hint?.includes(hint) ?? hint === "", true, `${filter}: ${error.hint}`);
  }
});

Deno.test("an operator of another language is refused with the one to write", () => {
  const cases: [filter: string, foreign: string, own: string][] = [
    ["proc.comm===cat", "===", "=="],
    ["proc.comm=~^c", "=~", "~"],
    ["proc.comm~=^c", "~=", "~"],
    ["pid=>40", "=>", ">="],
    ["pid=<40", "=<", "<="],
  ];
  for (const [filter, foreign, own] of cases) {
    const message = `Filter "${filter}": there is no operator ${foreign}`;
    const error = assertThrows(() => parseFilter(filter, fields), UsageError, message);
    assertEquals(error.hint, `write ${own}`);
  }
  assertEquals(parseFilter("pid=42", fields), parseFilter("pid==42", fields));
});

Deno.test("a name for a number leads to the field that has the names", () => {
  const uid = makeField({ name: "creds.uid", kind: "uint32", sizeBytes: 4, offsetBytes: 8 });
  const user: Field = { ...uid, name: "creds.user", format: { type: "uid" } };
  const hintOf = (filter: string, known: readonly Field[]) =>
    assertThrows(() => parseFilter(filter, known), UsageError, "wanted an integer").hint;
  assertEquals(
    hintOf("uid!=nobody", [uid, user]),
    "give a number, or compare the name: creds.user!=nobody",
  );
  assertEquals(hintOf("uid==nobody", [uid]), "give a number");
  assertEquals(hintOf("uid==", [uid, user]), "give a number");
  for (const filter of ["uid==1&&uid==2", "uid==1 and uid==2", "uid==1 || uid==2"]) {
    assertEquals(
      hintOf(filter, [uid, user]),
      "a comma between conditions means and; there is no or",
    );
  }
});

Deno.test("where all names are known, no other is accepted", () => {
  const checks: FilterChecks = {
    namesOf: ({ type }) => type === "errno" ? ["EPERM", "ENOENT"] : undefined,
  };
  for (const filter of ["error==ENOENTT", "error!=enoent", "error=ENOENTT"]) {
    const error = assertThrows(
      () => parseFilter(filter, fields, checks),
      UsageError,
      "field error is uint8 as errno",
    );
    assertEquals(error.hint, 'did you mean "ENOENT"? There are: EPERM, ENOENT');
  }
  const both = assertThrows(
    () => parseFilter("error==EPERM && pid==1", fields, checks),
    UsageError,
  );
  assertEquals(both.hint, "a comma between conditions means and; there is no or");
  const accepted = [
    "error==ENOENT",
    "error==",
    "error==error#4000",
    "error==7",
    "error>EN",
    "error~X",
  ];
  for (const filter of [...accepted, "addr==10.0.0.1", "proc.comm==ENOENTT"]) {
    assertEquals(parseFilter(filter, fields, checks), parseFilter(filter, fields), filter);
  }
});

Deno.test("an unknown field of a data source without fields has no suggestion", () => {
  const error = assertThrows(() => parseFilter("pid==1", []), UsageError, 'no field "pid"');
  assertEquals(error.hint, "there is none to choose from");
});

Deno.test("a field with a format needs its formatter", () => {
  const terms = parseFilter("error==ENOENT", fields);
  assertThrows(() => matchesFilter(terms, sampleRecord(), new Map()), Error, "BUG: no formatter");
});

Deno.test("a field may be named by its last part, or by its alias", () => {
  const aliased = { ...fields[1], annotations: { "columns.alias": "ppid" } };
  assertEquals(parseFilter("comm==cat", fields)[0].field, fields[0]);
  assertEquals(parseFilter("PPID==1", [fields[0], aliased])[0].field, aliased);
  const twin = { ...fields[0], name: "parent.comm" };
  assertThrows(
    () => parseFilter("comm==cat", [...fields, twin]),
    UsageError,
    'Filter "comm==cat": "comm" may be proc.comm or parent.comm',
  );
});

Deno.test("blanks around the parts of a condition do not count", () => {
  assertEquals(
    parseFilter(" proc.comm == cat , pid = 42 ", fields),
    parseFilter("proc.comm==cat,pid=42", fields),
  );
});

Deno.test("a misspelt last part suggests the full name", () => {
  const error = assertThrows(() => parseFilter("comn==cat", fields), UsageError);
  assertEquals(error.hint?.split("?", 1)[0], 'did you mean "proc.comm"');
});
