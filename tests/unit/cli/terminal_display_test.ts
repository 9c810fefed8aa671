// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { createTerminalDisplay } from "../../../src/cli/terminal_display.ts";
import type { DataSourceSpec } from "../../../src/gadget/mod.ts";
import type { RowView, RowViewMode } from "../../../src/view/mod.ts";
import { sampleEvents } from "../view/_sample_events.ts";
import { FakeTerminal } from "./_fake_terminal.ts";

const ROWS = sampleEvents([
  {
    name: "comm",
    kind: "cstring",
    sizeBytes: 8,
    annotations: { "columns.width": "4", "columns.maxwidth": "4" },
  },
  {
    name: "calls",
    kind: "uint32",
    annotations: { "columns.width": "5", "metrics.type": "counter" },
  },
], [{ comm: "a", calls: 1 }, { comm: "b", calls: 30 }, { comm: "c", calls: 2 }]);

const MAP: DataSourceSpec = {
  name: "m",
  origin: { kind: "mapiter", map: "m" },
  annotations: {},
  tags: [],
  fields: ROWS.fields,
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
  const views = specs.map((spec) =>
    display.rowView({ spec, formatters: ROWS.formatters, schedule })
  );
  return { terminal, views: views.filter((view) => view !== undefined), begin: display.begin };
}

Deno.test("in a pipe each read is a table, the busiest first, behind an empty line", () => {
  const { terminal, views: [view], begin } = show([MAP], new FakeTerminal({ isTty: false }));
  begin();
  assertEquals(terminal.taken(), HEADER);
  assertEquals(view.rows(ROWS.records), TABLE);
  assertEquals(view.rows([]), "");
  assertEquals(view.rows(ROWS.records), `\n${HEADER}${TABLE}`);
});

Deno.test("in a pipe JSON has what was read as it was read", () => {
  const terminal = new FakeTerminal({ isTty: false });
  const { views: [view], begin } = show([MAP], terminal, { mode: "json" });
  begin();
  assertEquals(terminal.taken(), "");
  const comms = JSON.parse(view.rows(ROWS.records)).map(({ comm }: { comm: string }) => comm);
  assertEquals(comms, ["a", "b", "c"]);
});

Deno.test("a map alone stays in one place of a terminal", () => {
  const { terminal, views: [view], begin } = show([MAP], new FakeTerminal());
  begin();
  assertEquals(terminal.taken().slice(0, ENTER.length), ENTER);
  const picture = view.rows(ROWS.records);
  // deno-lint-ignore no-control-regex
  const [title, ...lines] = picture.replaceAll(/\x1b\[[HKJ]/g, "").split("\n");
  assertMatch(title, /^g +\d\d:\d\d:\d\d +3 of 3 rows/);
  assertEquals(lines.join("\n"), `${HEADER}${TABLE}`.trimEnd());
});

Deno.test("a map beside events scrolls, and a header tells them apart", () => {
  const { terminal, views: [events, map], begin } = show([EVENTS, MAP], new FakeTerminal());
  begin();
  assertEquals(terminal.taken(), HEADER);
  assertEquals(events.row(ROWS.records[0]), "a        1\n");
  assertEquals(map.rows(ROWS.records), `\n${HEADER}${TABLE}`);
  assertEquals(events.row(ROWS.records[0]), `${HEADER}a        1\n`);
});

Deno.test("a map that is read once, or on a terminal that can only scroll, is one table", () => {
  const once = show([MAP], new FakeTerminal(), { schedule: { ...EVERY_SECOND, count: 1 } });
  const dumb = show([MAP], new FakeTerminal({ canMoveCursor: false }));
  for (
    const [{ terminal, views: [view], begin }, rows] of [[once, AS_READ], [dumb, TABLE]] as const
  ) {
    begin();
    assertEquals(terminal.taken() + view.rows(ROWS.records), `${HEADER}${rows}`);
  }
});
