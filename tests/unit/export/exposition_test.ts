// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../src/errors.ts";
import { Pace } from "../../../src/export/pace.ts";
import { Exposition, type ExpositionOptions } from "../../../src/export/mod.ts";
import {
  type FakeInstrument,
  FakeMetricSet,
  floats,
  histograms,
  integers,
  pageText,
  singleSet,
} from "./fake_metric_set.ts";

function exposition(sets: readonly FakeMetricSet[], options: ExpositionOptions = {}): Exposition {
  const made = new Exposition(options);
  for (const set of sets) made.add(set);
  return made;
}

function counter(name: string, values: readonly bigint[]): FakeInstrument {
  return { type: "counter", name, column: integers(values) };
}

function gauge(name: string, values: readonly number[]): FakeInstrument {
  return { type: "gauge", name, column: floats(values) };
}

const EXEC = () =>
  new FakeMetricSet("trace_exec/exec", ["proc.comm", "uid"], {
    rows: [["sh", "0"], ["cc", "1000"]],
    instruments: [
      { ...counter("count", [3n, 2n ** 64n - 1n]), description: 'Execs\\ of\n"all"' },
      {
        type: "histogram",
        name: "latency",
        description: "",
        unit: "us",
        column: histograms([0.5, 1, 2097151], [
          { counts: [1n, 0n, 2n, 3n], sum: 42 },
          { counts: [0n, 2n ** 32n - 1n, 1n, 2n ** 40n], sum: 1.5 },
        ]),
      },
    ],
  });

Deno.test("text 0.0.4 is byte for byte what is expected", () => {
  const sh = `otel_scope_name="trace_exec/exec",proc_comm="sh",uid="0"`;
  const cc = `otel_scope_name="trace_exec/exec",proc_comm="cc",uid="1000"`;
  assertEquals(
    pageText(exposition([EXEC()]).render("text")),
    `# HELP count_total Execs\\\\ of\\n"all"
# TYPE count_total counter
count_total{${sh}} 3
count_total{${cc}} 18446744073709551615
# TYPE latency_microseconds histogram
latency_microseconds_bucket{${sh},le="0.5"} 1
latency_microseconds_bucket{${sh},le="1"} 1
latency_microseconds_bucket{${sh},le="2.097151e+06"} 3
latency_microseconds_bucket{${sh},le="+Inf"} 6
latency_microseconds_sum{${sh}} 42
latency_microseconds_count{${sh}} 6
latency_microseconds_bucket{${cc},le="0.5"} 0
latency_microseconds_bucket{${cc},le="1"} 4294967295
latency_microseconds_bucket{${cc},le="2.097151e+06"} 4294967296
latency_microseconds_bucket{${cc},le="+Inf"} 1103806595072
latency_microseconds_sum{${cc}} 1.5
latency_microseconds_count{${cc}} 1103806595072
`,
  );
});

Deno.test("OpenMetrics has units, counter families without _total, point bounds, and an end", () => {
  const set = EXEC();
  set.dead.add(1);
  const sh = `otel_scope_name="trace_exec/exec",proc_comm="sh",uid="0"`;
  assertEquals(
    pageText(exposition([set]).render("openmetrics")),
    `# TYPE count counter
# HELP count Execs\\\\ of\\n\\"all\\"
count_total{${sh}} 3
# TYPE latency_microseconds histogram
# UNIT latency_microseconds microseconds
latency_microseconds_bucket{${sh},le="0.5"} 1
latency_microseconds_bucket{${sh},le="1.0"} 1
latency_microseconds_bucket{${sh},le="2.097151e+06"} 3
latency_microseconds_bucket{${sh},le="+Inf"} 6
latency_microseconds_sum{${sh}} 42
latency_microseconds_count{${sh}} 6
# EOF
`,
  );
});

Deno.test("numbers are exact, signed ones too, and special values spelled as Prometheus reads them", () => {
  const unsigned: [bigint, string][] = [0n, 9n, 10n, 99n, 100n, 999_999_999n, 10n ** 9n]
    .concat([2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n])
    .map((value) => [value, String(value)]);
  const signed: [bigint, string][] = [0n, -1n, -(2n ** 31n), -(2n ** 32n), -(2n ** 32n) - 1n]
    .concat([-(2n ** 53n) - 1n, -(2n ** 63n), 2n ** 63n - 1n])
    .map((value) => [value, String(value)]);
  const doubles: [number, string][] = [
    [0, "0"],
    [-0, "0"],
    [-17, "-17"],
    [0.1, "0.1"],
    [-2.5, "-2.5"],
    [5e-324, "5e-324"],
    [1e21, "1e+21"],
    [2 ** 53, "9007199254740992"],
    [Infinity, "+Inf"],
    [-Infinity, "-Inf"],
    [NaN, "NaN"],
  ];
  const values = (column: FakeInstrument["column"], count: number) => {
    const rows = Array.from({ length: count }, (_, row) => [String(row)]);
    const set = singleSet("s", { rows, instrument: { type: "gauge", name: "g", column } });
    const lines = pageText(exposition([set]).render("text")).trimEnd().split("\n").slice(2);
    return lines.map((line) => line.split(" ").at(-1));
  };
  for (
    const [column, rows] of [
      [integers(unsigned.map(([value]) => value)), unsigned],
      [integers(signed.map(([value]) => value), { signed: true }), signed],
      [floats(doubles.map(([value]) => value)), doubles],
    ] as const
  ) {
    assertEquals(values(column, rows.length), rows.map(([, want]) => want));
  }
});

Deno.test("hostile label values cannot leave their quotes or break UTF-8", () => {
  const rows = ['a"} 1\nevil 2', "back\\slash", "lone\ud800surrogate", "ü€🐝", "", "tab\t\0"];
  const instrument = counter("c", rows.map(() => 1n));
  const set = singleSet('s"c\\ope', { rows: rows.map((row) => [row]), instrument });
  const lines = pageText(exposition([set]).render("text")).trimEnd().split("\n").slice(2);
  const prefix = `c_total{otel_scope_name="s\\"c\\\\ope",k=`;
  assertEquals(lines, [
    `${prefix}"a\\"} 1\\nevil 2"} 1`,
    `${prefix}"back\\\\slash"} 1`,
    `${prefix}"lone\ufffdsurrogate"} 1`,
    `${prefix}"ü€🐝"} 1`,
    `${prefix}""} 1`,
    `${prefix}"tab\t\0"} 1`,
  ]);
});

Deno.test("the overflow series has no key labels", () => {
  const set = singleSet("s", { rows: [["a"], ["unread"]], instrument: counter("c", [1n, 2n]) });
  set.overflowSeries = 1;
  const text = pageText(exposition([set]).render("text"));
  assert(text.endsWith(`c_total{otel_scope_name="s",otel_metric_overflow="true"} 2\n`));
});

Deno.test("colliding and reserved labels are told apart", () => {
  const labelNames = ["a_b", "a.b", "le", "otel.scope.name", "otel_metric_overflow"];
  const column = histograms([], [{ counts: [1n], sum: 0 }]);
  const set = singleSet("s", {
    labelNames,
    rows: [["1", "2", "3", "4", "true"]],
    instrument: { type: "histogram", name: "h", column },
  });
  const labels = `{otel_scope_name="s",a_b="2;1",exported_le="3",` +
    `exported_otel_scope_name="4",exported_otel_metric_overflow="true"`;
  assertEquals(
    pageText(exposition([set]).render("text")).split("\n")[2],
    `h_bucket${labels},le="+Inf"} 1`,
  );
});

Deno.test("OpenMetrics: a sum that may go down is left out with its count, text has both", () => {
  const cases: [bounds: number[], sum: number, isLeftOut: boolean][] = [
    [[0, 1], 1.5, false],
    [[], 1.5, false],
    [[0, 1], -1.5, true],
    [[0, 1], NaN, true],
    [[-1, 1], 1.5, true],
  ];
  for (const [bounds, sum, isLeftOut] of cases) {
    const counts = Array.from({ length: bounds.length + 1 }, () => 1n);
    const column = histograms(bounds, [{ counts, sum }]);
    const instrument = { type: "histogram", name: "h", column } as const;
    const page = exposition([singleSet("s", { rows: [["a"]], instrument })]);
    const names = (format: "text" | "openmetrics") =>
      pageText(page.render(format)).match(/^h_(sum|count)(?=\{)/gm) ?? [];
    assertEquals(names("text"), ["h_sum", "h_count"]);
    assertEquals(names("openmetrics"), isLeftOut ? [] : ["h_sum", "h_count"], `${bounds} ${sum}`);
  }
});

Deno.test("families without a live series leave no trace", () => {
  const set = singleSet("s", { rows: [["a"]], instrument: counter("c", [1n]) });
  set.dead.add(0);
  const empty = singleSet("t", { rows: [], instrument: counter("d", []) });
  assertEquals(pageText(exposition([set, empty]).render("text")), "");
  assertEquals(pageText(exposition([set, empty]).render("openmetrics")), "# EOF\n");
});

Deno.test("labels are read once per series, and again when it is allotted anew", () => {
  const set = singleSet("s", { rows: [["a"], ["b"]], instrument: counter("c", [1n, 2n]) });
  const page = exposition([set]);
  pageText(page.render("text"));
  pageText(page.render("openmetrics"));
  assertEquals(set.labelReads, 2);

  set.rows = [["a"], ["a longer name"], ["new"]];
  set.generations[1] = 6;
  set.instruments[0] = { ...set.instruments[0] };
  const text = pageText(page.render("text"));
  assertEquals(set.labelReads, 4);
  assert(text.includes(`k="a longer name"} 2\n`) && !text.includes(`k="b"`));
});

Deno.test("labels that were read while the key was rewritten are neither shown nor kept", () => {
  const set = singleSet("s", { rows: [["a"], ["b"]], instrument: counter("c", [1n, 2n]) });
  const page = exposition([set]);
  const read = set.labelValues.bind(set);
  let reads = 0;
  set.labelValues = (series) => {
    const values = read(series);
    // Before the page is written, and then.
    if (series === 0 && ++reads <= 2) {
      set.generations[0] = 2 * reads;
      return ["torn"];
    }
    return values;
  };
  const keys = () => pageText(page.render("text")).match(/(?<=k=")[^"]*/g);
  assertEquals(keys(), ["b"]);
  assertEquals(keys(), ["a", "b"]);
});

Deno.test("a series that goes to another key while its values are read is left out", () => {
  const bounds = [1, 2];
  const columns: [FakeInstrument["type"], FakeInstrument["column"], linesPerSeries: number][] = [
    ["counter", integers([1n, 2n, 3n]), 1],
    ["gauge", floats([1, 2, 3]), 1],
    [
      "histogram",
      histograms(bounds, Array(3).fill({ counts: [1n, 1n, 1n], sum: 1 })),
      bounds.length + 3,
    ],
  ];
  for (const [type, column, lines] of columns) {
    const rows = [["a"], ["b"], ["c"]];
    const set = singleSet("s", { rows, instrument: { type, name: "m", column } });
    const page = exposition([set]);
    const keys = () => pageText(page.render("text")).match(/(?<=k=")[^"]*/g) ?? [];
    const all = [..."abc"].flatMap((key) => Array(lines).fill(key));
    assertEquals(keys(), all, type);

    // The labels are cached: the page asks for new ones, the writer before the values and behind them.
    let asked = 0;
    set.generation = (series) => series === 1 && ++asked > 2 ? 2 : 0;
    assertEquals(keys(), all.filter((key) => key !== "b"), type);
    assertEquals(asked, 3);
    // Between keys.
    set.generation = (series) => series === 1 ? 1 : 0;
    assertEquals(keys(), all.filter((key) => key !== "b"), type);
    set.generation = () => 0;
    assertEquals(keys(), all, type);
  }
});

Deno.test("series that are added while a page is made are read from the column that has them", () => {
  const set = singleSet("s", { rows: [["a"]], instrument: counter("c", [1n]) });
  const columns = [integers([1n]), integers([1n, 5n])];
  set.instruments[0] = {
    ...set.instruments[0],
    column: () => {
      set.rows = [["a"], ["added"]];
      return columns.shift() ?? integers([]);
    },
  };
  const lines = pageText(exposition([set]).render("text")).trimEnd().split("\n").slice(2);
  assertEquals(lines.map((line) => line.split(" ").at(-1)), ["1", "5"]);
});

Deno.test("while labels of many series are made, others have their turn", async () => {
  const rows = Array.from({ length: 20_000 }, (_, row) => [String(row)]);
  const set = singleSet("s", { rows, instrument: counter("c", rows.map(() => 1n)) });
  const page = exposition([set]);
  let readsBefore = 0;
  let mostReads = 0;
  const watch = () => {
    mostReads = Math.max(mostReads, set.labelReads - readsBefore);
    readsBefore = set.labelReads;
    immediate = setImmediate(watch);
  };
  let immediate = setImmediate(watch);
  const read = set.labelValues.bind(set);
  set.labelValues = (series) => {
    // As slow as a gadget's symbols may be.
    for (const endMs = performance.now() + 0.02; performance.now() < endMs;);
    return read(series);
  };
  const body = page.openBody("text");
  let text = "";
  for (let piece = await body.next(); piece !== undefined; piece = await body.next()) {
    text += new TextDecoder().decode(piece);
  }
  clearImmediate(immediate);
  assertEquals(text.trimEnd().split("\n").length, rows.length + 2);
  assert(mostReads < 1000, `${mostReads} label sets in a row`);
});

Deno.test("rows that are not on the page do not keep others from their turn", async () => {
  const rows = Array.from({ length: 50_000 }, (_, row) => [String(row)]);
  const column = integers(rows.map(() => 1n));
  const last = rows.length - 1;
  const hidden = [
    { what: "dead", isLive: false, generation: 0 },
    { what: "between keys", isLive: true, generation: 1 },
  ];
  for (const { what, isLive, generation } of hidden) {
    const set = new FakeMetricSet("s", ["k"], {
      rows,
      instruments: ["a", "b", "c"].map((name) => ({ type: "counter", name, column })),
    });
    let looks = 0;
    let mostLooks = 0;
    set.isLive = (series) => {
      looks++;
      return series === last || isLive;
    };
    set.generation = (series) => {
      looks++;
      return series === last ? 0 : generation;
    };
    const breathe = Pace.prototype.breathe;
    Pace.prototype.breathe = () => {
      mostLooks = Math.max(mostLooks, looks);
      looks = 0;
      return Promise.resolve();
    };
    let text = "";
    try {
      const body = exposition([set]).openBody("text");
      for (let piece = await body.next(); piece !== undefined; piece = await body.next()) {
        text += new TextDecoder().decode(piece);
      }
    } finally {
      Pace.prototype.breathe = breathe;
    }
    assertEquals(text.match(/^[abc]_total\{.*k="49999"\} 1$/gm)?.length, 3, what);
    assertEquals(pageText(exposition([set]).render("text")), text, what);
    assert(mostLooks < 45_000, `${what}: ${mostLooks} rows in a row`);
  }
});

Deno.test("label bytes of former owners do not pile up", () => {
  const rows = Array.from({ length: 1000 }, (_, row) => [`${row}-${"x".repeat(100)}`]);
  const set = singleSet("s", { rows, instrument: counter("c", rows.map(() => 1n)) });
  const page = exposition([set]);
  pageText(page.render("text"));
  const once = page.labelBytes;
  for (let generation = 1; generation <= 40; generation++) {
    set.generations.splice(0, rows.length, ...rows.map(() => 2 * generation));
    assertEquals(pageText(page.render("text")).split("\n").length, rows.length + 3);
  }
  assert(page.labelBytes < 4 * once, `${page.labelBytes} bytes held, ${once} needed`);
  page.remove(set);
  assertEquals(page.labelBytes, 0);
});

Deno.test("two data sources with one metric name share a family", () => {
  const a = singleSet("g/a", {
    rows: [["1"]],
    instrument: { ...counter("c", [1n]), description: "" },
  });
  const b = singleSet("g/b", { rows: [["1"]], instrument: counter("c.total", [2n]) });
  assertEquals(
    pageText(exposition([a, b]).render("text")),
    `# HELP c_total Help of c.total.
# TYPE c_total counter
c_total{otel_scope_name="g/a",k="1"} 1
c_total{otel_scope_name="g/b",k="1"} 2
`,
  );
});

Deno.test("a gauge and a counter that OpenMetrics would call the same are told apart there", () => {
  const set = singleSet("g/a", { rows: [["1"]], instrument: counter("bytes", [1n]) });
  const other = singleSet("g/b", { rows: [["1"]], instrument: gauge("bytes", [2]) });
  const types = (format: "text" | "openmetrics") =>
    pageText(exposition([set, other]).render(format)).match(/^# TYPE .*$/gm);
  assertEquals(types("text"), ["# TYPE bytes_total counter", "# TYPE bytes gauge"]);
  assertEquals(types("openmetrics"), ["# TYPE bytes_total unknown", "# TYPE bytes gauge"]);
});

Deno.test("names that cannot stand together are refused with both sides named", () => {
  const column = histograms([], []);
  const set = (scope: string, ...instruments: FakeInstrument[]) =>
    new FakeMetricSet(scope, [], { rows: [], instruments });
  const rows: [what: string, present: FakeMetricSet[], added: FakeMetricSet, ...parts: string[]][] =
    [
      [
        "another type",
        [set("g/a", gauge("c_total", []))],
        set("g/b", counter("c", [])),
        'metric "c" of "g/b" as counter "c_total"',
        'metric "c_total" of "g/a" has the same name with type gauge',
      ],
      ["the same scope", [set("g/a", counter("c", []))], set("g/a", counter("c", [])), "same name"],
      [
        "the same set",
        [],
        set("g/a", counter("c", []), counter("c_total", [])),
        'metric "c_total" of "g/a"',
        'metric "c" of "g/a" has the same name',
      ],
      [
        "a histogram's count",
        [set("g/a", { type: "histogram", name: "h", column })],
        set("g/b", gauge("h_count", [])),
        '"h_count" belongs to the histogram "h" of metric "h" of "g/a"',
      ],
      ["kmeter's own", [], set("g/a", gauge("kmeter.anything", [])), "kmeter's own metrics"],
      ["process metrics", [], set("g/a", counter("process_open_fds", [])), "kmeter's own metrics"],
    ];
  for (const [what, present, added, ...parts] of rows) {
    const page = exposition(present);
    const error = assertThrows(() => page.add(added), UsageError);
    for (const part of parts) assert(error.message.includes(part), `${what}: ${error.message}`);
    assert(error.hint?.includes("metrics.name"));
    assertEquals(page.familyNames(added), [], what);
  }
});

Deno.test("a removed set leaves with its families, and a page under way stops reading it", () => {
  const rows = Array.from({ length: 20_000 }, (_, row) => [String(row)]);
  const set = singleSet("s", { rows, instrument: counter("c", rows.map(() => 1n)) });
  const kept = singleSet("t", { rows: [["1"]], instrument: gauge("g", [5]) });
  const page = exposition([set, kept]);
  const render = page.render("text");
  render.next();
  page.remove(set);
  set.isLive = () => {
    throw new Error("a removed set was read");
  };
  const want = `# HELP g Help of g.\n# TYPE g gauge\ng{otel_scope_name="t",k="1"} 5\n`;
  assert(pageText(render).endsWith(want));
  assertEquals(pageText(page.render("text")), want);
  page.add(singleSet("s", { rows: [["1"]], instrument: gauge("c_total", [1]) }));
});

Deno.test("a set that fails is left out and reported, the rest is served", () => {
  const bad = singleSet("bad", { rows: [["1"], ["2"]], instrument: counter("c", [1n, 2n]) });
  const good = singleSet("good", { rows: [["1"]], instrument: counter("c", [3n]) });
  const read = bad.labelValues.bind(bad);
  bad.labelValues = (series) => {
    if (series === 1) throw new Error("no labels today");
    return read(series);
  };
  const failures: string[] = [];
  const page = exposition([bad, good], {
    onError: ({ scope, error }) => failures.push(`${scope}: ${(error as Error).message}`),
  });
  const lines = pageText(page.render("text")).trimEnd().split("\n").slice(2);
  assertEquals(failures, ["bad: no labels today"]);
  assertEquals(lines.map((line) => line.split(" ").at(-1)), ["1", "3"]);
});

Deno.test("chunks end between label sets, even when one is larger than a chunk", () => {
  const bounds = Array.from({ length: 64 }, (_, slot) => 2 ** slot - 1);
  const rows = Array.from(
    { length: 200 },
    (_, row) => [`${row}-${"é".repeat(row === 77 ? 9000 : 20)}`],
  );
  const column = histograms(bounds, rows.map(() => ({ counts: Array(65).fill(1n), sum: 1 })));
  const set = singleSet("s", { rows, instrument: { type: "histogram", name: "h", column } });
  const page = exposition([set]);
  const chunks = [...function* () {
    for (const chunk of page.render("text")) yield new TextDecoder().decode(chunk);
  }()];
  assert(chunks.length > 5);
  for (const chunk of chunks) {
    const lines = chunk.trimEnd().split("\n").filter((line) => !line.startsWith("#"));
    assertEquals(lines.length % 67, 0);
    if (lines.length > 0) assert(lines.at(-1)?.startsWith("h_count{"));
  }
  const usual = chunks.filter((chunk) => !chunk.includes("77-")).slice(1, -1);
  assert(usual.every((chunk) => chunk.length > 150_000 && chunk.length <= 256 * 1024));
  assertEquals(chunks.join("").match(/^h_count/gm)?.length, 200);
});

Deno.test("overlapping renders do not disturb each other", () => {
  const rows = Array.from({ length: 10_000 }, (_, row) => [String(row)]);
  const set = singleSet("s", { rows, instrument: counter("c", rows.map((_, row) => BigInt(row))) });
  const page = exposition([set]);
  const want = pageText(page.render("text"));
  const renders = [page.render("text"), page.render("text")];
  const texts = ["", ""];
  for (let open = 2; open > 0;) {
    open = 0;
    renders.forEach((render, index) => {
      const { value, done } = render.next();
      if (done === true) return;
      open++;
      texts[index] += new TextDecoder().decode(value as Uint8Array);
    });
  }
  assertEquals(texts.map((text) => text === want), [true, true]);
});

Deno.test("OpenMetrics tells since when it counts if that is asked for, the text format never", () => {
  const column = histograms([1], [{ counts: [1n, 0n], sum: 1 }, { counts: [2n, 0n], sum: 2 }]);
  const set = new FakeMetricSet("s", ["k"], {
    rows: [["1"], ["2"]],
    instruments: [
      counter("c", [1n, 2n]),
      { type: "counter", name: "f", column: floats([0.5, 1]) },
      gauge("g", [1, 2]),
      { type: "histogram", name: "h", column },
      counter("x", [1n, 2n]),
      gauge("x_created", [1, 2]),
      counter("y", [1n, 2n]),
      gauge("y", [1, 2]),
    ],
  });
  set.startMs = 1_700_000_000_050;
  set.generations[1] = 2;
  const created = (format: "text" | "openmetrics", createdSamples: boolean) =>
    pageText(exposition([set], { createdSamples }).render(format)).split("\n")
      .filter((line) => line.includes("_created{otel") && !line.startsWith("x_"));
  const labels = '{otel_scope_name="s",k="1"} 1700000000.05';
  // Other families are called x_created and y.
  const expected = ["c", "f", "h"].map((name) => `${name}_created${labels}`);
  assertEquals(created("openmetrics", true), expected);
  assertEquals(created("openmetrics", false), []);
  assertEquals(created("text", true), []);
  const page = pageText(exposition([set], { createdSamples: true }).render("openmetrics"));
  assertEquals(page.match(/^x_created\{/gm)?.length, 2, "the gauge's own samples");
});

Deno.test("OpenMetrics has exemplars, the text format has none", () => {
  const exemplar = { label: "trace.id", text: 'a"b', value: 2, unixMs: 1_700_000_000_123 };
  const column = histograms([1, 4], [{ counts: [1n, 1n, 0n], sum: 3 }]);
  const set = new FakeMetricSet("s", ["k"], {
    rows: [["1"]],
    instruments: [
      { ...counter("c", [7n]), exemplars: [exemplar] },
      { type: "counter", name: "f", column: floats([0.5]), exemplars: [exemplar] },
      { type: "histogram", name: "h", column, exemplars: [exemplar] },
      // With a gauge of that name it is no counter in OpenMetrics.
      { ...counter("y", [7n]), exemplars: [exemplar] },
      gauge("y", [1]),
    ],
  });
  const page = exposition([set]);
  const withExemplar = pageText(page.render("openmetrics")).split("\n")
    .filter((line) => line.includes(" # "));
  const suffix = ' # {trace_id="a\\"b"} 2 1700000000.123';
  assertEquals(withExemplar, [
    `c_total{otel_scope_name="s",k="1"} 7${suffix}`,
    `f_total{otel_scope_name="s",k="1"} 0.5${suffix}`,
    `h_bucket{otel_scope_name="s",k="1",le="4.0"} 2${suffix}`,
  ]);
  assertEquals(pageText(page.render("text")).includes(" # {"), false);
});

Deno.test("the prefix and the trailer are part of the page", () => {
  const set = singleSet("s", { rows: [["1"]], instrument: gauge("g", [1]) });
  const page = exposition([set], { metricsPrefix: "my" });
  const trailer = new TextEncoder().encode("# TYPE x gauge\nx 1\n");
  const text = pageText(page.render("openmetrics", { trailer }));
  assert(text.includes("\nmy_g{") && text.endsWith("\n# TYPE x gauge\nx 1\n# EOF\n"));
  assertEquals(page.familyNames(set), ["my_g"]);
});
