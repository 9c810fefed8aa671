/** Pages: whatever the events and the names are, two parsers that nobody here wrote accept the page. */

import type { Field, FieldFormatter, RecordBytes } from "../../../src/decode/mod.ts";
import { Exposition, OwnMetrics } from "../../../src/export/mod.ts";
import { compileIngest, createMetricSet, SeriesStore } from "../../../src/metrics/mod.ts";
import { ringOf } from "../../unit/metrics/batches.ts";
import { pageText } from "../../unit/export/fake_metric_set.ts";
import { nativeCounts, readFamilies } from "../../unit/export/metric_family.ts";
import { type Layout, randomLayout, RecordMaker } from "../../unit/metrics/random_layout.ts";
import { randomPlan, testFormatters } from "../../unit/metrics/random_plan.ts";
import { Random } from "../../unit/random.ts";
import { HOSTILE_NAMES } from "../mutate.ts";
import { type FuzzTarget, makeSeed, parseOrRefuse, textOf } from "../target.ts";
import { PageParsers } from "./page_parsers.ts";

const NO_VALUE: Layout = { fields: [], sizeBytes: 0 };
const UNITS = ["", "s", "By", "1", "ms", "%", "s\n", "{calls}"];

const parsers = new PageParsers();

export const pageTarget: FuzzTarget = {
  name: "page",
  make: makeSeed,
  async check(input) {
    const random = new Random(Number(textOf(input)));
    const page = new Exposition({ createdSamples: random.chance(0.5) });
    for (let count = random.between(1, 3); count > 0; count--) {
      // Two data sources of one name are refused long before.
      const set = randomSet(random, `${randomName(random)}/${count}`);
      // A name without a letter or digit is refused.
      parseOrRefuse(() => page.add(set));
    }
    const own = await OwnMetrics.load({
      buildInfo: { version: randomName(random), deno: "2", libbpf: "3" },
    });
    for (const format of ["text", "openmetrics"] as const) {
      const text = pageText(page.render(format, { trailer: await own.render(format) }));
      refuseTwins(text);
      await parsers.accept(format, text);
    }
    checkProtobuf(page, await own.render("protobuf"));
  },
  close: () => parsers.close(),
};

/** Each piece by itself is whole messages, and native buckets have the count that is told. */
function checkProtobuf(page: Exposition, trailer: Uint8Array): void {
  const seen = new Set<string>();
  for (const piece of page.render("protobuf", { trailer })) {
    for (const { metric, name } of readFamilies(piece)) {
      if (metric.length === 0) throw new Error(`empty message of "${name}"`);
      for (const { label, histogram } of metric) {
        const series = JSON.stringify([name, label.map(({ name, value }) => [name, value])]);
        if (seen.has(series)) throw new Error(`series said twice: ${series}`);
        seen.add(series);
        if (histogram === undefined || histogram.zeroThreshold === 0) continue;
        const { positiveSpan, positiveDelta, negativeSpan, negativeDelta } = histogram;
        const counts = [
          ...nativeCounts(positiveSpan, positiveDelta),
          ...nativeCounts(negativeSpan, negativeDelta),
        ].map(([, count]) => count);
        const sum = counts.reduce((sum, count) => sum + count, Number(histogram.zeroCount));
        if (counts.some((count) => count < 0) || BigInt(sum) !== histogram.sampleCount) {
          throw new Error(`"${name}" counts ${histogram.sampleCount}, its buckets ${counts}`);
        }
      }
    }
  }
}

/** Prometheus refuses a page that says one series twice. */
function refuseTwins(page: string): void {
  const seen = new Set<string>();
  for (const line of page.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const series = line.slice(0, line.lastIndexOf(" "));
    if (seen.has(series)) throw new Error(`series said twice: ${series}\n${page}`);
    seen.add(series);
  }
}

function randomSet(random: Random, scope: string) {
  const layout = randomLayout(random, 0);
  const records = new RecordMaker(random, layout);
  const sample: RecordBytes = {
    segments: [new DataView(records.make().buffer), new DataView(new ArrayBuffer(0))],
    offsets: [0, 0],
  };
  const made = randomPlan(random, { key: layout, value: NO_VALUE, sample });
  const plan = {
    ...made,
    keys: made.keys.map((key) => ({ ...key, label: randomName(random) })),
    instruments: made.instruments.map((instrument) => ({
      ...instrument,
      name: randomName(random),
      description: randomName(random),
      unit: random.pick(UNITS),
    })),
  };
  const formatters = random.chance(0.5)
    ? testFormatters(layout.fields)
    : coarseFormatters(layout.fields);
  const store = new SeriesStore(plan);
  store.wallMs = random.between(1, 2 ** 31);
  const ingest = compileIngest(plan, {
    store,
    formatters,
    skipZeroEntries: false,
    atomicHeaders: false,
  });
  ingest.ring(ringOf(Array.from({ length: 30 }, () => ({ bytes: records.make() }))));
  return createMetricSet({
    scope,
    plan,
    memory: store.memory,
    formatters,
    startMs: random.between(0, 2 ** 31),
  });
}

/** Texts that many values share, some of them too long. */
function coarseFormatters(fields: readonly Field[]): ReadonlyMap<Field, FieldFormatter> {
  return new Map(
    [...testFormatters(fields)].map(([field, format]): [Field, FieldFormatter] => [
      field,
      (record) => "ä".repeat(format(record).length % 3 * 1000),
    ]),
  );
}

function randomName(random: Random): string {
  if (random.chance(0.5)) return `name${random.between(0, 20)}`;
  if (random.chance(0.5)) return random.pick(HOSTILE_NAMES) + random.between(0, 3);
  const length = random.between(1, 12);
  return String.fromCharCode(...Array.from({ length }, () => random.between(0, 0xffff)));
}
