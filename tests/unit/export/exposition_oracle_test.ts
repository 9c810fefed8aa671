/** The pages against programs that nobody here wrote: prom-client, promtool, Python's OpenMetrics parser. */

// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { Gauge, Registry } from "prom-client";
import { Exposition, OwnMetrics } from "../../../src/export/mod.ts";
import {
  FakeMetricSet,
  floats,
  histograms,
  integers,
  pageText,
  singleSet,
} from "./fake_metric_set.ts";

const SEED = 20240607;

/** Mulberry32: 32 random bits per call. */
function randomBits(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return (bits ^ (bits >>> 14)) >>> 0;
  };
}

function randomDouble(next: () => number): number {
  const words = new Uint32Array([next(), next()]);
  switch (next() % 4) {
    case 0: // Any bit pattern, NaN and infinities included.
      return new Float64Array(words.buffer)[0];
    case 1:
      return (next() % 2 === 0 ? 1 : -1) * (words[0] * 2 ** (next() % 60));
    case 2:
      return words[0] / 10 ** (next() % 12);
    default:
      return words[0] % 10 ** (next() % 10);
  }
}

const HOSTILE = [
  "\\",
  '"',
  "\n",
  "}",
  "{",
  ",",
  "=",
  "\ud800",
  "é",
  "€",
  "🐝",
  "\0",
  "\r",
  "\u2028",
];

function randomText(next: () => number): string {
  const length = next() % 40;
  let text = "";
  for (let at = 0; at < length; at++) {
    text += next() % 3 === 0
      ? HOSTILE[next() % HOSTILE.length]
      : String.fromCharCode(32 + next() % 95);
  }
  return text;
}

Deno.test(`20,000 random doubles and labels are printed as prom-client prints them (seed ${SEED})`, async () => {
  const next = randomBits(SEED);
  const rows = Array.from({ length: 20_000 }, (_, row) => [String(row), randomText(next)]);
  const edges = [0, 1, -1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1, 2 ** 53, -(2 ** 53)]
    .concat([
      1e21,
      1e-7,
      5e-324,
      Number.MAX_VALUE,
      Infinity,
      -Infinity,
      NaN,
      99,
      100,
      999999999,
      1e9,
    ]);
  const values = rows.map((_, row) => edges[row] ?? randomDouble(next));

  const registry = new Registry();
  const labelNames = ["otel_scope_name", "row", "text"];
  const gauge = new Gauge({ name: "g", help: "Help of g.", labelNames, registers: [registry] });
  rows.forEach(([row, text], index) => {
    gauge.set({ otel_scope_name: "s", row, text: text.toWellFormed() }, values[index]);
  });

  const set = singleSet("s", {
    labelNames: ["row", "text"],
    rows,
    instrument: { type: "gauge", name: "g", column: floats(values) },
  });
  const page = new Exposition();
  page.add(set);
  const want = (await registry.metrics()).replaceAll(/ Nan$/gm, " NaN").split("\n");
  const got = pageText(page.render("text")).split("\n");
  assertEquals(got.length, want.length);
  for (const [line, text] of want.entries()) {
    if (got[line] !== text) assertEquals(got[line], text, `line ${line}`);
  }
});

Deno.test(`20,000 random 64-bit integers are printed exactly (seed ${SEED})`, () => {
  const next = randomBits(SEED);
  const values = Array.from({ length: 20_000 }, () => {
    const bits = BigInt(next()) << 32n | BigInt(next());
    return bits >> BigInt(next() % 64);
  });
  for (const signed of [false, true]) {
    const rows = values.map((_, row) => [String(row)]);
    const column = integers(values, { signed });
    const set = singleSet("s", { rows, instrument: { type: "gauge", name: "g", column } });
    const page = new Exposition();
    page.add(set);
    const lines = pageText(page.render("text")).trimEnd().split("\n").slice(2);
    const wrong = lines.findIndex((line, row) =>
      line.slice(line.lastIndexOf(" ") + 1) !==
        String(signed ? BigInt.asIntN(64, values[row]) : values[row])
    );
    assertEquals(wrong, -1, lines[wrong]);
  }
});

/** One page with everything on it: hostile labels, all types, an overflow series, own metrics. */
async function fullPage(format: "text" | "openmetrics"): Promise<string> {
  const next = randomBits(SEED);
  const rows = Array.from({ length: 50 }, (_, row) => [String(row), randomText(next)]);
  const set = new FakeMetricSet("gadget/source", ["row", "proc.comm"], {
    rows,
    instruments: [
      { type: "counter", name: "count", column: integers(rows.map(() => 2n ** 64n - 1n)) },
      { type: "gauge", name: "load", unit: "1", column: floats(rows.map(() => NaN)) },
      { type: "gauge", name: "count", unit: "By", column: floats(rows.map(() => -Infinity)) },
      {
        type: "histogram",
        name: "wait",
        unit: "s",
        column: histograms(
          [0, 0.001, 1, 1e6],
          rows.map(() => ({ counts: [1n, 2n, 3n, 0n, 2n ** 33n], sum: 1.5 })),
        ),
      },
    ],
  });
  set.overflowSeries = 49;
  const other = singleSet("gadget/other", {
    rows: [["x"]],
    instrument: { type: "gauge", name: "count", column: floats([1]) },
  });
  const own = await OwnMetrics.load({ buildInfo: { version: "1", deno: "2", libbpf: "3" } });
  own.observe(() => ({
    gadgets: [{ gadget: "g", isUp: true }],
    dataSources: [{
      gadget: 'g"\\\n',
      dataSource: "d",
      eventsReceived: 5,
      eventsLost: { buffer_full: 1 },
      decodeErrors: { too_short: 2 },
      series: 3,
      seriesLimit: 20_004,
      seriesOverflow: 4,
      labelsTruncated: 12,
      map: { entries: 1, maxEntries: 2, fetchDurationSeconds: 0.001, fetchErrors: 0, fullReads: 0 },
    }],
    programs: [
      {
        gadget: "g",
        program: "p",
        section: "tp_btf/x",
        isAttached: true,
        reason: "",
        runTimeSeconds: 1.5,
        runCount: 7,
      },
      { gadget: "g", program: "q", section: "kprobe/x", isAttached: false, reason: "no kprobes" },
    ],
    consumers: [{ gadget: "g", isUp: true }],
  }));
  const page = new Exposition();
  page.add(set);
  page.add(other);
  return pageText(page.render(format, { trailer: await own.render(format) }));
}

async function run(command: string, args: string[], input: string): Promise<Deno.CommandOutput> {
  const child = new Deno.Command(command, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  })
    .spawn();
  const writer = child.stdin.getWriter();
  const [output] = await Promise.all([
    child.output(),
    writer.write(new TextEncoder().encode(input)).then(() => writer.close()),
  ]);
  return output;
}

function outputText(output: Deno.CommandOutput): string {
  return new TextDecoder().decode(output.stdout) + new TextDecoder().decode(output.stderr);
}

async function canRun(command: string, args: string[]): Promise<boolean> {
  try {
    return (await run(command, args, "")).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const HAS_PROMTOOL = await canRun("promtool", ["--version"]);

Deno.test({
  name: `promtool finds no fault in the page${HAS_PROMTOOL ? "" : " (skipped: no promtool)"}`,
  ignore: !HAS_PROMTOOL,
  async fn() {
    const output = await run("promtool", ["check", "metrics"], await fullPage("text"));
    assertEquals([output.code, outputText(output)], [0, ""]);
  },
});

/** Reads OpenMetrics from stdin and prints each sample's name, labels and value as Python sees them. */
const PYTHON_PARSER = `
import sys, json
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
text = sys.stdin.buffer.read().decode("utf-8")
for family in parse(text):
    for sample in family.samples:
        print(json.dumps([family.type, sample.name, sample.labels, repr(sample.value)]))
`;

const PYTHON = await (async () => {
  // The distribution's module is seen by the distribution's interpreter only.
  for (const python of ["/usr/bin/python3", "python3"]) {
    if (await canRun(python, ["-c", "import prometheus_client.openmetrics.parser"])) return python;
  }
})();

Deno.test({
  name: `Python's OpenMetrics parser reads the page${
    PYTHON === undefined ? " (skipped: no python3-prometheus-client)" : ""
  }`,
  ignore: PYTHON === undefined,
  async fn() {
    const page = await fullPage("openmetrics");
    const output = await run(PYTHON ?? "", ["-c", PYTHON_PARSER], page);
    assert(output.success, outputText(output));
    const samples: [string, string, Record<string, string>, string][] = outputText(output)
      .trimEnd().split("\n").map((line) => JSON.parse(line));
    const next = randomBits(SEED);
    const comms = Array.from({ length: 50 }, () => randomText(next).toWellFormed()).slice(0, 49);
    const counts = samples.filter(([, name]) => name === "count_total");
    assertEquals(counts.map(([type]) => type), Array(50).fill("unknown"));
    assertEquals(counts.slice(0, 49).map(([, , labels]) => labels.proc_comm), comms);
    assertEquals(counts[49][2].otel_metric_overflow, "true");
    const lost = samples.find(([, name]) => name === "kmeter_events_lost_total");
    assertEquals(lost, ["counter", "kmeter_events_lost_total", {
      gadget: 'g"\\\n',
      datasource: "d",
      reason: "buffer_full",
    }, "1"]);
    assertEquals(counts[0][3], "18446744073709551615");
  },
});
