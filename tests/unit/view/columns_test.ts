// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../src/errors.ts";
import { createColumnsView, displayWidth } from "../../../src/view/mod.ts";
import { assertGolden } from "./_golden.ts";
import { OPEN_EVENTS, OPEN_MEMBERS, sampleEvents } from "./_sample_events.ts";

const OPEN = sampleEvents(OPEN_MEMBERS, OPEN_EVENTS);

function render(options: { selection?: string; widthColumns: number; isTty?: boolean }): string {
  const view = createColumnsView({
    ...OPEN,
    isTty: true,
    ...options,
    widthColumns: () => options.widthColumns,
  });
  // A terminal's header follows what was seen.
  const rows = view.rows(OPEN.records);
  return view.header() + rows;
}

for (const widthColumns of [120, 80, 40, 12]) {
  Deno.test(`columns fit a terminal of ${widthColumns}`, () => {
    const text = render({ widthColumns });
    for (const line of text.split("\n")) assert(displayWidth(line) <= widthColumns, line);
    assertGolden(`columns_${widthColumns}.txt`, text);
  });
}

Deno.test("no terminal is so narrow that a line is longer or the first column is gone", () => {
  for (let widthColumns = 1; widthColumns < 160; widthColumns++) {
    const lines = render({ widthColumns }).split("\n").slice(0, -1);
    assertEquals(lines.length, 1 + OPEN_EVENTS.length);
    for (const line of lines) {
      assert(displayWidth(line) <= widthColumns, `${widthColumns}: ${line}`);
      assert(line !== "", `${widthColumns}`);
    }
  }
});

Deno.test("what is no terminal gets values whole", () => {
  assertGolden("columns_pipe.txt", render({ widthColumns: 20, isTty: false }));
});

Deno.test("nothing that controls a terminal gets through", () => {
  const text = render({ widthColumns: 200, selection: "comm,fname" });
  // deno-lint-ignore no-control-regex
  assertEquals(text.match(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/), null);
  assertEquals(text.split("\n").at(-2)?.split(/ +/), [
    "x\\x1b[31mred\\n",
    "tab\\there\\x7f\\u202egpj",
  ]);
});

const HEADERS: readonly [selection: string | undefined, header: string[]][] = [
  [undefined, ["COMM", "PID", "ERROR", "FNAME"]],
  ["", ["COMM", "PID", "ERROR", "FNAME"]],
  ["fname,proc.pid", ["FNAME", "PID"]],
  ["Fname, PROC.PID,fname", ["FNAME", "PID"]],
  ["comm,error_raw", ["COMM", "ERROR_RAW"]],
  ["+timestamp,-pid", ["COMM", "ERROR", "FNAME", "TIMESTAMP"]],
  ["-proc", ["ERROR", "FNAME"]],
  ["proc", ["COMM", "PID"]],
];
for (const [selection, header] of HEADERS) {
  Deno.test(`--fields ${JSON.stringify(selection)} shows ${header}`, () => {
    const view = createColumnsView({ ...OPEN, selection, widthColumns: () => 200, isTty: true });
    assertEquals(view.header().trim().split(/ +/), header);
  });
}

Deno.test("an unknown field is refused with the nearest name", () => {
  const error = assertThrows(
    () => render({ selection: "+fnam", widthColumns: 80 }),
    UsageError,
    'Unknown field "fnam"',
  );
  assertEquals(error.hint, 'did you mean "fname"?');
  assertThrows(() => render({ selection: "pid,+comm", widthColumns: 80 }), UsageError, "mixes");
});

const PAIR = sampleEvents([
  { name: "src", kind: "bytes", sizeBytes: 0, hidden: true },
  { name: "src.port", kind: "uint16" },
  { name: "dst", kind: "bytes", sizeBytes: 0, hidden: true },
  { name: "dst.port", kind: "uint16" },
  { name: "count", kind: "uint64" },
], [{ "src.port": 1, "dst.port": 2, count: 3n }]);

Deno.test("columns with the same last name part show their full names", () => {
  const view = createColumnsView({ ...PAIR, widthColumns: () => 80, isTty: true });
  assertEquals(view.header().trim().split(/ +/), ["SRC.PORT", "DST.PORT", "COUNT"]);
  assertThrows(
    () => createColumnsView({ ...PAIR, selection: "port", widthColumns: () => 80, isTty: true }),
    UsageError,
    'Field "port" is ambiguous: it may be src.port or dst.port',
  );
});

const CELLS: readonly [
  annotations: Record<string, string>,
  kind: "uint32" | "float64" | "cstring",
  value: number | string,
  cell: string,
][] = [
  [{ "columns.width": "6", "columns.fixed": "true" }, "cstring", "abcdefghij", "abcde…"],
  [
    { "columns.width": "6", "columns.fixed": "true", "columns.ellipsis": "start" },
    "cstring",
    "abcdefghij",
    "…fghij",
  ],
  [
    { "columns.width": "6", "columns.fixed": "true", "columns.ellipsis": "middle" },
    "cstring",
    "abcdefghij",
    "abc…ij",
  ],
  [
    { "columns.width": "6", "columns.fixed": "true", "columns.ellipsis": "none" },
    "cstring",
    "abcdefghij",
    "abcdef",
  ],
  [{ "columns.width": "6", "columns.fixed": "true" }, "cstring", "日本語日", "日本… "],
  [{ "columns.width": "6", "columns.fixed": "true" }, "uint32", 42, "    42"],
  [
    { "columns.width": "6", "columns.fixed": "true", "columns.alignment": "left" },
    "uint32",
    42,
    "42    ",
  ],
  [
    { "columns.width": "6", "columns.fixed": "true", "columns.alignment": "right" },
    "cstring",
    "ab",
    "    ab",
  ],
  [{ "columns.width": "type" }, "uint32", 42, "        42"],
  [
    { "columns.width": "6", "columns.fixed": "true", "columns.hex": "true" },
    "uint32",
    255,
    "  0xff",
  ],
  [
    { "columns.width": "8", "columns.fixed": "true", "columns.precision": "2" },
    "float64",
    3.14159,
    "    3.14",
  ],
];
for (const [annotations, kind, value, cell] of CELLS) {
  Deno.test(`a ${kind} ${value} with ${JSON.stringify(annotations)} shows as "${cell}"`, () => {
    const one = sampleEvents([
      { name: "f", kind, annotations, ...(kind === "cstring" ? { sizeBytes: 32 } : {}) },
      {
        name: "end",
        kind: "uint8",
        annotations: { "columns.width": "3", "columns.fixed": "true" },
      },
    ], [{ f: value, end: 9 }]);
    const view = createColumnsView({ ...one, widthColumns: () => 80, isTty: true });
    assertEquals(view.row(one.records[0]), `${cell}   9\n`);
  });
}

const CALLS = sampleEvents([
  { name: "comm", kind: "cstring", sizeBytes: 32, annotations: { "columns.width": "8" } },
  { name: "calls", kind: "uint64", annotations: { "columns.width": "6" } },
  { name: "path", kind: "cstring", sizeBytes: 64 },
], [
  { comm: "a", calls: 1n, path: "/" },
  { comm: "a-longer-name", calls: 12_345_678_901n, path: "/a/path/that/is/longer/than/others" },
]);

Deno.test("columns grow with their values, numbers are never cut, and the header follows", () => {
  const view = createColumnsView({ ...CALLS, widthColumns: () => 30, isTty: true });
  const [short, long] = CALLS.records;
  assertEquals([view.header(), view.row(short), view.header()], [
    "COMM      CALLS PATH\n",
    "a             1 /\n",
    "COMM      CALLS PATH\n",
  ]);
  assertEquals([view.row(long), view.header(), view.row(short)], [
    "a-longe… 12345678901 /a/path/…\n",
    "COMM           CALLS PATH\n",
    "a                  1 /\n",
  ]);
});

Deno.test("a terminal that gets another size gets other columns", () => {
  let width = 60;
  const view = createColumnsView({ ...CALLS, widthColumns: () => width, isTty: true });
  const long = CALLS.records[1];
  view.row(long);
  const wide = [view.header(), view.row(long)];
  width = 24;
  const narrow = [view.header(), view.row(long)];
  assertEquals(wide[1], "a-longer-name 12345678901 /a/path/that/is/longer/than/others\n");
  assertEquals(narrow[1], "a-lo… 12345678901 /a/pa…\n");
  assert(narrow[0] !== wide[0]);
  width = 60;
  assertEquals([view.header(), view.row(long)], wide);
});

Deno.test("a table keeps the rows it is asked for, and is laid out for any width", () => {
  let width = 60;
  const view = createColumnsView({ ...CALLS, widthColumns: () => width, isTty: true });
  const table = view.table(CALLS.records, { maxRows: 2 });
  assertEquals(table.lines(1).length, 2);
  width = 24;
  assertEquals(table.lines(9), [
    "COMM        CALLS PATH",
    "a               1 /",
    "a-lo… 12345678901 /a/pa…",
  ]);
  assertEquals(view.table(CALLS.records, { maxRows: 1 }).lines(9).length, 2);
});
