// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { Exposition, OwnMetrics } from "../../../src/export/mod.ts";
import { exponentialBuckets, log2NativeBuckets } from "../../../src/metrics/native_buckets.ts";
import { FakeMetricSet, floats, histograms, integers, singleSet } from "./fake_metric_set.ts";
import { type Exemplar, type MetricFamily, nativeCounts, readFamilies } from "./metric_family.ts";

function pageBytes(page: Exposition, trailer?: Uint8Array): Uint8Array {
  // A chunk is lent until the next one.
  const chunks = Array.from(page.render("protobuf", { trailer }), (chunk) => [...chunk]);
  return Uint8Array.from(chunks.flat());
}

function familiesOf(...sets: FakeMetricSet[]): MetricFamily[] {
  const page = new Exposition({
    onError: ({ error }) => {
      throw error;
    },
  });
  for (const set of sets) page.add(set);
  return readFamilies(pageBytes(page));
}

Deno.test("counters and gauges: name, help, type, unit, labels, values", () => {
  const set = new FakeMetricSet("g/ds", ["comm", "error"], {
    rows: [['ba"s\n\\h', "ENOENT"], ["\ud800é", ""]],
    instruments: [
      { type: "counter", name: "opens", column: integers([1n, 2n ** 64n - 1n]) },
      { type: "gauge", name: "level", column: integers([-5n, 2n ** 40n], { signed: true }) },
      {
        type: "gauge",
        name: "used",
        unit: "By",
        description: "",
        column: floats([0.5, -Infinity]),
      },
    ],
  });
  const [opens, level, used, ...rest] = familiesOf(set);
  assertEquals(rest, []);
  assertEquals([opens.name, opens.help, opens.type], ["opens_total", "Help of opens.", 0]);
  assertEquals([level.name, level.type, level.unit], ["level", 1, ""]);
  assertEquals([used.name, used.help, used.type, used.unit], ["used_bytes", "", 1, "bytes"]);
  assertEquals(opens.metric.map(({ counter }) => counter?.value), [1, 2 ** 64]);
  assertEquals(level.metric.map(({ gauge }) => gauge?.value), [-5, 2 ** 40]);
  assertEquals(used.metric.map(({ gauge }) => gauge?.value), [0.5, -Infinity]);
  assertEquals(
    opens.metric.map(({ label }) => label.map(({ name, value }) => [name, value])),
    [
      [["otel_scope_name", "g/ds"], ["comm", 'ba"s\n\\h'], ["error", "ENOENT"]],
      // An empty label is an absent one.
      [["otel_scope_name", "g/ds"], ["comm", "\ufffdé"]],
    ],
  );
});

Deno.test("a histogram has its classic buckets, and native ones where slots are powers of two", () => {
  const bounds = [0, 1, 3, 7, 15, 31, 63, 127];
  const column = {
    ...histograms(bounds, [{ counts: [4n, 1n, 0n, 0n, 0n, 2n, 300n, 0n, 9n], sum: 12.5 }]),
    native: log2NativeBuckets(bounds),
  };
  const [family] = familiesOf(
    singleSet("g/ds", { rows: [["a"]], instrument: { type: "histogram", name: "h", column } }),
  );
  const histogram = family.metric[0].histogram;
  assert(histogram !== undefined);
  assertEquals(family.type, 4);
  assertEquals([histogram.sampleCount, histogram.sampleSum], [316n, 12.5]);
  assertEquals(
    histogram.bucket.map(({ upperBound, cumulativeCount }) => [upperBound, cumulativeCount]),
    [[0, 4n], [1, 5n], [3, 5n], [7, 5n], [15, 5n], [31, 7n], [63, 307n], [127, 307n]],
  );
  assertEquals([histogram.schema, histogram.zeroCount], [0, 4n]);
  assert(histogram.zeroThreshold > 0 && histogram.zeroThreshold < 1e-30);
  // Slot n, [2^(n-1), 2^n - 1], is the bucket with the upper bound 2^n; the open last one too.
  const native = nativeCounts(histogram.positiveSpan, histogram.positiveDelta);
  assertEquals(native, [[1, 1], [5, 2], [6, 300], [8, 9]]);
  assertEquals(histogram.positiveSpan.length, 2, "a long gap parts spans, a short one does not");
});

Deno.test("counters and histograms say since when they count, unless they began anew", () => {
  const set = new FakeMetricSet("g/ds", ["k"], {
    rows: [["a"], ["again"], ["over"]],
    instruments: [
      { type: "counter", name: "c", column: integers([1n, 2n, 3n]) },
      { type: "counter", name: "f", column: floats([1, 2, 3]) },
      { type: "gauge", name: "g", column: integers([1n, 2n, 3n]) },
      {
        type: "histogram",
        name: "h",
        column: histograms([1], [1, 2, 3].map((sum) => ({ counts: [1n, 0n], sum }))),
      },
    ],
  });
  set.startMs = 1_700_000_000_123;
  set.generations[1] = 2;
  set.overflowSeries = 2;
  const since = { seconds: 1_700_000_000n, nanos: 123_000_000 };
  for (const { name, metric } of familiesOf(set)) {
    const created = metric.map(({ counter, gauge, histogram }) => {
      const time = (counter ?? gauge ?? histogram)?.created;
      return time && { seconds: time.seconds, nanos: time.nanos };
    });
    const expected = name === "g" ? undefined : since;
    assertEquals(created, [expected, undefined, undefined], name);
  }
});

Deno.test("exemplars stand in counters and in the bucket of their value, unless they are too long", () => {
  const exemplar = (text: string, value: number) => ({
    label: "proc.pid",
    text,
    value,
    unixMs: 1_700_000_000_123,
  });
  const texts = ["12", "x".repeat(120), "y".repeat(121)];
  const column = histograms(
    [1, 4],
    [1, 2, 3].map(() => ({ counts: [1n, 0n, 2n], sum: 9 })),
  );
  const [c, f, h] = familiesOf(
    new FakeMetricSet("g/ds", ["k"], {
      rows: [["a"], ["b"], ["c"]],
      instruments: [
        {
          type: "counter",
          name: "c",
          column: integers([1n, 2n, 3n]),
          exemplars: texts.map((text) => exemplar(text, 1)),
        },
        {
          type: "counter",
          name: "f",
          column: floats([1, 2, 3]),
          exemplars: [exemplar("12", NaN), undefined, exemplar("12", 0.5)],
        },
        {
          type: "histogram",
          name: "h",
          column,
          exemplars: [exemplar("12", 4), exemplar("12", 5), exemplar("12", -1)],
        },
      ],
    }),
  );
  const told = (found: Exemplar | undefined) =>
    found && [found.label[0].name, found.label[0].value, found.value, found.timestamp?.nanos];
  assertEquals(c.metric.map(({ counter }) => told(counter?.exemplar)), [
    ["proc_pid", "12", 1, 123_000_000],
    ["proc_pid", texts[1], 1, 123_000_000],
    undefined,
  ]);
  assertEquals(c.metric.map(({ counter }) => counter?.value), [1, 2, 3]);
  assertEquals(f.metric.map(({ counter }) => told(counter?.exemplar)?.[2]), [
    undefined,
    undefined,
    0.5,
  ]);
  assertEquals(
    h.metric.map(({ histogram }) =>
      histogram?.bucket.map(({ upperBound, cumulativeCount, exemplar }) =>
        `${upperBound}: ${cumulativeCount} ${told(exemplar)?.[2] ?? "-"}`
      )
    ),
    [
      ["1: 1 -", "4: 1 4"],
      ["1: 1 -", "4: 1 -", "Infinity: 3 5"],
      ["1: 1 -1", "4: 1 -"],
    ],
  );
});

Deno.test("bounds that are powers of two are native buckets without any shift", () => {
  const native = log2NativeBuckets([8, 16, 32]);
  assertEquals(native, { schema: 0, zeroThreshold: 8, zeroCell: 0, firstIndex: 4 });
  assertEquals(log2NativeBuckets([1, 5, 25]), undefined);
  assertEquals(log2NativeBuckets([]), undefined);
});

Deno.test("a schema's buckets are native ones, on both sides of zero", () => {
  const { bounds, native } = exponentialBuckets({ schema: 1, from: 1, to: 4, isSigned: true });
  assertEquals(bounds.length, 12);
  // (1/√2, 1], (1, √2], (√2, 2], (2, 2√2], (2√2, 4]
  assertEquals(bounds.slice(6), [2 ** -0.5, 1, 2 ** 0.5, 2, 2 ** 1.5, 4]);
  const counts = [7n, 6n, 0n, 0n, 0n, 1n, 5n, 2n, 0n, 0n, 0n, 3n, 8n];
  const column = { ...histograms(bounds, [{ counts, sum: -1 }]), native };
  const [family] = familiesOf(
    singleSet("g/ds", { rows: [["a"]], instrument: { type: "histogram", name: "h", column } }),
  );
  const histogram = family.metric[0].histogram;
  assert(histogram !== undefined);
  assertEquals(histogram.schema, 1);
  assertEquals([histogram.zeroThreshold, histogram.zeroCount], [2 ** -0.5, 5n]);
  assertEquals(nativeCounts(histogram.positiveSpan, histogram.positiveDelta), [
    [0, 2],
    [4, 3],
    [5, 8],
  ]);
  assertEquals(nativeCounts(histogram.negativeSpan, histogram.negativeDelta), [
    [0, 1],
    [4, 6],
    [5, 7],
  ]);
});

Deno.test("counts that a double does not hold have classic buckets only, which are exact", () => {
  const bounds = [1, 2];
  const native = log2NativeBuckets(bounds);
  const huge = 2n ** 63n + 1n;
  const column = { ...histograms(bounds, [{ counts: [huge, 1n, 0n], sum: 0 }]), native };
  const [family] = familiesOf(
    singleSet("g/ds", { rows: [["a"]], instrument: { type: "histogram", name: "h", column } }),
  );
  const histogram = family.metric[0].histogram;
  assertEquals(histogram?.bucket.map(({ cumulativeCount }) => cumulativeCount), [huge, huge + 1n]);
  assertEquals([histogram?.sampleCount, histogram?.zeroThreshold], [huge + 1n, 0]);
});

Deno.test("what does not fit one piece becomes several messages of one name, none of them empty", () => {
  const count = 9000;
  const rows = Array.from(
    { length: count },
    (_, index) => [`name ${index} ${"x".repeat(index % 90)}`],
  );
  rows[17] = ["y".repeat(300_000)];
  const column = integers(rows.map((_, index) => BigInt(index)));
  const families = familiesOf(singleSet("g/ds", {
    rows,
    instrument: { type: "counter", name: "c", column },
  }));
  assert(families.length > 3);
  const values: number[] = [];
  for (const { name, help, type, metric } of families) {
    assertEquals([name, help, type], ["c_total", "Help of c.", 0]);
    assert(metric.length > 0);
    for (const { label, counter } of metric) {
      const value = counter?.value ?? NaN;
      values.push(value);
      assertEquals(label[1].value, rows[value][0]);
    }
  }
  assertEquals(values, rows.map((_, index) => index));
});

Deno.test("a small family of several data sources is one message", () => {
  const set = (scope: string) =>
    singleSet(scope, {
      rows: [["a"]],
      instrument: { type: "counter", name: "c", column: integers([3n]) },
    });
  const families = familiesOf(set("g/one"), set("g/two"));
  assertEquals(families.map(({ metric }) => metric.length), [2]);
});

Deno.test("a series whose key leaves while it is written is taken back, and with it the message it began", () => {
  const set = singleSet("g/ds", {
    rows: [["a"], ["b"]],
    instrument: { type: "counter", name: "c", column: integers([1n, 2n]) },
  });
  // The key leaves at each of the moments at which the generation is looked at.
  const values = (limit: number) => {
    let asked = 0;
    set.generation = (series) => series === 0 && asked++ >= limit ? 2 : 0;
    return familiesOf(set).map(({ metric }) => metric.map(({ counter }) => counter?.value));
  };
  const pages = Array.from({ length: 12 }, (_, limit) => JSON.stringify(values(limit)));
  assertEquals([...new Set(pages)].sort(), ["[[1,2]]", "[[2]]"]);
  set.dead.add(1);
  const alone = Array.from({ length: 12 }, (_, limit) => JSON.stringify(values(limit)));
  assertEquals([...new Set(alone)].sort(), ["[[1]]", "[]"]);
});

Deno.test("series with equal labels are one, with their sum", () => {
  const bounds = [1, 2];
  const column = histograms(bounds, [1n, 2n, 4n].map((n) => ({ counts: [n, 0n, n], sum: 1 })));
  const exemplars = [1, 2, 3].map((value) => ({ label: "pid", text: "1", value, unixMs: 1 }));
  const set = new FakeMetricSet("g/ds", ["k"], {
    rows: [["a"], ["b"], ["a"]],
    instruments: [
      { type: "counter", name: "c", column: integers([1n, 2n, 4n]), exemplars },
      { type: "histogram", name: "h", column: { ...column, native: log2NativeBuckets(bounds) } },
    ],
  });
  const [c, h] = familiesOf(set);
  const values = c.metric.map(({ label, counter }) => [label[1].value, counter?.value]);
  assertEquals(values.sort(), [["a", 5], ["b", 2]]);
  const counts = h.metric.map(({ label, histogram }) => [
    label[1].value,
    histogram?.sampleCount,
    histogram?.zeroCount,
  ]);
  assertEquals(counts.sort(), [["a", 10n, 5n], ["b", 4n, 2n]]);
});

Deno.test("kmeter's own metrics are on the page too, with other metrics of the Registry", async () => {
  const own = await OwnMetrics.load({ buildInfo: { version: "1", deno: "2", libbpf: "3" } });
  const { Gauge, Histogram } = await import("prom-client");
  const histogram = new Histogram({
    name: "other_seconds",
    help: "Other.",
    buckets: [0.5],
    registers: [own.registry],
  });
  histogram.observe(0.25);
  // Families of all sizes, so that one ends wherever the buffer does.
  for (let size = 1; size <= 64; size++) {
    new Gauge({ name: `g${size}`, help: "x".repeat(size), registers: [own.registry] }).set(size);
  }
  const families = readFamilies(await own.render("protobuf"));
  const build = families.find(({ name }) => name === "kmeter_build_info");
  assertEquals([build?.type, build?.metric[0].gauge?.value], [1, 1]);
  assertEquals(
    build?.metric[0].label.map(({ name, value }) => `${name}=${value}`),
    ["version=1", "deno=2", "libbpf=3"],
  );
  const errors = families.find(({ name }) => name === "kmeter_scrape_errors_total");
  assertEquals([errors?.type, errors?.metric[0].counter?.value], [0, 0]);
  const gauges = families.filter(({ name }) => /^g\d+$/.test(name));
  assertEquals(
    gauges.map(({ help, metric }) => [help.length, metric[0].gauge?.value]),
    Array.from({ length: 64 }, (_, index) => [index + 1, index + 1]),
  );
  const buckets = families.find(({ name }) => name === "other_seconds_bucket");
  assertEquals(
    buckets?.metric.map(({ label, untyped }) => [label.at(-1)?.value, untyped?.value]),
    [["0.5", 1], ["+Inf", 1]],
  );
});
