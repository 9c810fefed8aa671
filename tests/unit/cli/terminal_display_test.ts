// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { createTerminalDisplay } from "../../../src/cli/terminal_display.ts";
import type { DataSourceSpec } from "../../../src/gadget/mod.ts";
import type { RowView, RowViewMode } from "../../../src/view/mod.ts";
import { sampleFields, type SampleMember, sampleRecord } from "../enrich/sample_record.ts";
import { FakeTerminal } from "./_fake_terminal.ts";

function members(comm: string, calls: number): SampleMember[] {
  const widths = { "columns.width": "4", "columns.maxwidth": "4" };
  const counter = { "columns.width": "5", "metrics.type": "counter" };
  return [
    { name: "comm", kind: "cstring", sizeBytes: 8, value: comm, annotations: widths },
    { name: "calls", kind: "uint32", value: calls, annotations: counter },
  ];
}

const RECORDS = [members("a", 1), members("b", 30), members("c", 2)].map(sampleRecord);

const MAP: DataSourceSpec = {
  name: "m",
  origin: { kind: "mapiter", map: "m" },
  annotations: {},
  tags: [],
  fields: sampleFields(members("", 0)),
  recordSizeBytes: 12,
  valueSizeBytes: 0,
};
const EVENTS: DataSourceSpec = {
  ...MAP,
  name: "e",
  origin: { kind: "tracer", map: "e", struct: "e" },
};
const EVERY_SECOND = { intervalMs: 1000, count: 0 };
const HEADER = "COMM CALLS\n";
const TABLE = "b       30\nc        2\na        1\n";
const AS_READ = "a        1\nb       30\nc        2\n";
const ENTER = "\x1b[?1049h";

interface Shown {
  readonly terminal: FakeTerminal;
  readonly views: RowView[];
  readonly begin: () => void;
}

function show(
  specs: readonly DataSourceSpec[],
  terminal: FakeTerminal,
  { mode = "columns", schedule = EVERY_SECOND }: {
    mode?: RowViewMode;
    schedule?: typeof EVERY_SECOND;
  } = {},
): Shown {
  const display = createTerminalDisplay({ title: "g", settings: () => ({ mode }), terminal });
  const views = specs.map((spec) => display.rowView({ spec, formatters: new Map(), schedule }));
  return { terminal, views: views.filter((view) => view !== undefined), begin: display.begin };
}

Deno.test("in a pipe each read is a table, the busiest first, behind an empty line", () => {
  const { terminal, views: [view], begin } = show([MAP], new FakeTerminal({ isTty: false }));
  begin();
  assertEquals(terminal.taken(), HEADER);
  assertEquals(view.rows(RECORDS), TABLE);
  assertEquals(view.rows([]), "");
  assertEquals(view.rows(RECORDS), `\n${HEADER}${TABLE}`);
});

Deno.test("in a pipe JSON has what was read as it was read", () => {
  const terminal = new FakeTerminal({ isTty: false });
  const { views: [view], begin } = show([MAP], terminal, { mode: "json" });
  begin();
  assertEquals(terminal.taken(), "");
  const comms = JSON.parse(view.rows(RECORDS)).map(({ comm }: { comm: string }) => comm);
  assertEquals(comms, ["a", "b", "c"]);
});

Deno.test("a map alone stays in one place of a terminal", () => {
  const { terminal, views: [view], begin } = show([MAP], new FakeTerminal());
  begin();
  assertEquals(terminal.taken().slice(0, ENTER.length), ENTER);
  const picture = view.rows(RECORDS);
  // deno-lint-ignore no-control-regex
  const [title, ...lines] = picture.replaceAll(/\x1b\[[HKJ]/g, "").split("\n");
  assertMatch(title, /^g +\d\d:\d\d:\d\d +3 of 3 rows/);
  assertEquals(lines.join("\n"), `${HEADER}${TABLE}`.trimEnd());
});

Deno.test("a map beside events scrolls, and a header tells them apart", () => {
  const { terminal, views: [events, map], begin } = show([EVENTS, MAP], new FakeTerminal());
  begin();
  assertEquals(terminal.taken(), HEADER);
  assertEquals(events.row(RECORDS[0]), "a        1\n");
  assertEquals(map.rows(RECORDS), `\n${HEADER}${TABLE}`);
  assertEquals(events.row(RECORDS[0]), `${HEADER}a        1\n`);
});

Deno.test("a map that is read once, or on a terminal that can only scroll, is one table", () => {
  const once = show([MAP], new FakeTerminal(), { schedule: { ...EVERY_SECOND, count: 1 } });
  const dumb = show([MAP], new FakeTerminal({ canMoveCursor: false }));
  for (
    const [{ terminal, views: [view], begin }, rows] of [[once, AS_READ], [dumb, TABLE]] as const
  ) {
    begin();
    assertEquals(terminal.taken() + view.rows(RECORDS), `${HEADER}${rows}`);
  }
});
