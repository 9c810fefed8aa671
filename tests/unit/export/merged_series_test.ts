// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import type { Field, TextFormat } from "../../../src/decode/mod.ts";
import { createFormatters } from "../../../src/enrich/mod.ts";
import { Exposition, type TextExposition } from "../../../src/export/mod.ts";
import { compileIngest, createMetricSet, SeriesStore } from "../../../src/metrics/mod.ts";
import { makeField } from "../decode/fields.ts";
import { sampleEnvironment } from "../enrich/sample_environment.ts";
import { rowsOf } from "../metrics/batches.ts";
import { planOf, words32, words64 } from "../metrics/plans.ts";
import { FakeMetricSet, floats, histograms, integers, pageText } from "./fake_metric_set.ts";

function pageOf(set: FakeMetricSet): Exposition {
  const page = new Exposition();
  page.add(set);
  return page;
}

/** Sample lines without scope. */
function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.replace('otel_scope_name="s",', ""));
}

function lines(page: Exposition, format: TextExposition = "text"): string[] {
  return linesOf(pageText(page.render(format)));
}

/** Series 0, 2 and 3 are of one name. */
function twins(): FakeMetricSet {
  return new FakeMetricSet("s", ["k"], {
    rows: [["a"], ["b"], ["a"], ["a"]],
    instruments: [
      { type: "counter", name: "c", column: integers([1n, 2n, 2n ** 63n, 4n]) },
      { type: "gauge", name: "g", column: integers([-5n, 7n, 2n, 1n], { signed: true }) },
      { type: "gauge", name: "f", column: floats([0.5, 1, 0.25, 8]) },
      {
        type: "histogram",
        name: "h",
        column: histograms([1], [1n, 2n, 3n, 4n].map((n) => ({ counts: [n, 1n], sum: Number(n) }))),
      },
    ],
  });
}

const SUMS = [
  'c_total{k="b"} 2',
  'c_total{k="a"} 9223372036854775813',
  'g{k="b"} 7',
  'g{k="a"} -2',
  'f{k="b"} 1',
  'f{k="a"} 8.75',
  'h_bucket{k="b",le="1"} 2',
  'h_bucket{k="b",le="+Inf"} 3',
  'h_sum{k="b"} 2',
  'h_count{k="b"} 3',
  'h_bucket{k="a",le="1"} 8',
  'h_bucket{k="a",le="+Inf"} 11',
  'h_sum{k="a"} 8',
  'h_count{k="a"} 11',
];

Deno.test("series with equal labels are added up, from the first page on", () => {
  const page = pageOf(twins());
  assertEquals(lines(page), SUMS);
  assertEquals(lines(page), SUMS);
  assertEquals(lines(page, "openmetrics"), SUMS.map((line) => line.replace('"1"}', '"1.0"}')));
});

Deno.test("sums go on when series leave, but for gauges", () => {
  const set = twins();
  const page = pageOf(set);
  const sums = () =>
    lines(page).filter((line) => /^[cgf].*"a"/.test(line)).map((line) => line.split(" ")[1]);
  assertEquals(sums(), ["9223372036854775813", "-2", "8.75"]);
  set.dead.add(2);
  assertEquals(sums(), ["9223372036854775813", "-4", "8.5"]);
  // Its id goes to another key, which is on the page under its own name.
  set.generations[2] = 2;
  set.rows = [["a"], ["b"], ["new"], ["a"]];
  set.dead.clear();
  assertEquals(sums(), ["9223372036854775813", "-4", "8.5"]);
  assertEquals(
    lines(page).filter((line) => line.includes("new"))[0],
    'c_total{k="new"} 9223372036854775808',
  );
  // All have left: there is nothing to go on from.
  for (const series of [0, 3]) set.generations[series] = 2;
  set.rows = [["a"], ["b"], ["new"], ["x"]];
  assertEquals(sums(), ["1", "-5", "0.5"]);
});

Deno.test("what an iterator tells anew is not added to what it told before", () => {
  const set = twins();
  const page = pageOf(set);
  for (let run = 0; run < 3; run++) {
    set.rows.forEach((_, series) => set.generations[series] = 2 * run);
    assertEquals(lines(page), SUMS);
  }
});

Deno.test("a group is on the page while one of its series is", () => {
  const set = twins();
  const page = pageOf(set);
  const seen = [[], [0], [0, 2, 3], [0, 2]].map((dead) => {
    set.dead.clear();
    for (const series of dead) set.dead.add(series);
    return lines(page).filter((line) => /^c.*"a"/.test(line)).length;
  });
  assertEquals(seen, [1, 1, 0, 1]);
});

const PAIRS = 3000;

/** Two counters of many series. */
function manySeries(rows: (readonly string[])[]): FakeMetricSet {
  const column = integers(Array.from({ length: 2 * PAIRS }, () => 1n));
  const instruments = ["a", "b"].map((name) => ({ type: "counter" as const, name, column }));
  return new FakeMetricSet("s", ["k"], { rows, instruments });
}

/** Long: a page is many times what is written at once. */
const PLAIN = Array.from({ length: PAIRS }, (_, row) => [`${row}${"x".repeat(300)}`]);
const TWICE = [...PLAIN, ...PLAIN];

/** A page that begins, and goes on when all is different and another page was made. */
function interrupted(set: FakeMetricSet, change: () => void): { first: string[]; other: string[] } {
  const page = pageOf(set);
  const first = page.render("text");
  let text = pageText([first.next().value ?? new Uint8Array()]);
  assert(text.includes("a_total") && !text.includes("b_total"));
  change();
  const other = lines(page);
  text += pageText(first);
  return { first: linesOf(text), other };
}

function assertDistinct(page: readonly string[]): void {
  const series = page.map((line) => line.split(" ")[0]);
  assertEquals(series.length - new Set(series).size, 0, "series that are said twice");
}

Deno.test("no page says a series twice while series get twins", () => {
  const set = manySeries(PLAIN);
  const { first, other } = interrupted(set, () => set.rows = TWICE);
  for (const page of [first, other]) assertDistinct(page);
  assertEquals(other.length, 2 * PAIRS);
  assertEquals(new Set(other.map((line) => line.split(" ")[1])), new Set(["2"]));
});

Deno.test("no page says a series twice while twins lose each other", () => {
  const set = manySeries(TWICE);
  const { first, other } = interrupted(set, () => {
    set.rows = TWICE.map(([name], row) => [row < PAIRS ? `new${name}` : name]);
    set.rows.forEach((_, series) => set.generations[series] = 2);
  });
  for (const page of [first, other]) assertDistinct(page);
  assertEquals(other.length, 4 * PAIRS);
  assertEquals(new Set(other.map((line) => line.split(" ")[1])), new Set(["1"]));
});

Deno.test("the label bytes of twins are no waste that never ends", () => {
  const set = twins();
  const page = pageOf(set);
  for (let round = 0; round < 20_000; round++) {
    set.generations[2] = 2 * round;
    lines(page);
  }
  assertEquals(page.labelBytes < 256 * 1024, true);
});

const ADDRESS = makeField({
  name: "addr_raw",
  parent: "",
  kind: "bytes",
  arrayLength: 16,
  sizeBytes: 16,
  format: { type: "ip_addr" },
});
const VERSION = makeField({ name: "version", kind: "uint8", sizeBytes: 1, offsetBytes: 16 });

function scalar(
  type: Exclude<TextFormat["type"], "enum" | "timestamp">,
  kind: "uint32" | "int64",
): Field {
  return makeField({ name: "k", kind, sizeBytes: kind === "uint32" ? 4 : 8, format: { type } });
}

const PASSWD = "www:x:33:33::/:/bin/sh\nwww:x:34:34::/:/bin/sh\n";

const ALIKE: readonly {
  what: string;
  fields: readonly Field[];
  records: readonly Uint8Array[];
  label: string;
}[] = [
  {
    what: "bytes behind an IPv4 address",
    fields: [ADDRESS, VERSION],
    records: [0, 7, 9].map((junk) => new Uint8Array([10, 0, 0, 1, ...Array(12).fill(junk), 4])),
    label: 'addr_raw="10.0.0.1"',
  },
  {
    what: "accounts of one name",
    fields: [scalar("uid", "uint32")],
    records: [33, 34, 33].map((uid) => words32(uid)),
    label: 'k="www"',
  },
  {
    what: "an errno in 64 bits",
    fields: [scalar("errno", "int64")],
    records: [2n, 2n ** 32n + 2n, -2n].map((errno) => words64(errno)),
    label: 'k="ENOENT"',
  },
  {
    what: "text behind its NUL",
    fields: [makeField({ name: "k", kind: "cstring", arrayLength: 8, sizeBytes: 8 })],
    records: ["ab\0\0", "ab\0x", "ab\0\xff"].map((text) => new TextEncoder().encode(text)),
    label: 'k="ab"',
  },
  {
    what: "text that is too long",
    fields: [makeField({ name: "k", kind: "cstring", arrayLength: 4096, sizeBytes: 4096 })],
    records: ["a", "b", "cc"].map((end) => new TextEncoder().encode("ä".repeat(1100) + end)),
    label: `k="${"ä".repeat(1022)}…"`,
  },
];

for (const { what, fields, records, label } of ALIKE) {
  Deno.test(`keys that read alike are one series: ${what}`, () => {
    const plan = planOf({ keys: fields.slice(0, 1), fields, recordSizeBytes: 4096 });
    const store = new SeriesStore(plan);
    const files = { modifiedMs: () => 1, readText: () => PASSWD };
    const formatters = createFormatters(fields, sampleEnvironment({ files }));
    const options = { store, formatters, skipZeroEntries: false, atomicHeaders: false };
    const padded = records.map((record) => {
      const key = new Uint8Array(4096);
      key.set(record);
      return { key };
    });
    compileIngest(plan, options).rows(rowsOf(padded));
    const page = new Exposition();
    page.add(createMetricSet({ scope: "s", plan, memory: store.memory, formatters }));
    assertEquals(lines(page), [`events_total{${label}} 3`]);
    assertEquals(lines(page), [`events_total{${label}} 3`]);
    assertEquals(store.memory.stats.truncatedLabels, what.includes("long") ? 3 : 0);
  });
}
