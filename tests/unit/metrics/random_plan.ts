/** Random metrics and filters over a layout. */

import {
  type ComparisonOperator,
  type Field,
  type FieldFormatter,
  type FilterTerm,
  isFloatKind,
  readField,
  readInteger,
  readNumber,
  type RecordBytes,
} from "../../../src/decode/mod.ts";
import type { ExponentialBoundaries, MetricRoles, ValueRole } from "../../../src/gadget/mod.ts";
import { makePlan, type MetricsPlan } from "../../../src/metrics/mod.ts";
import type { Random } from "../random.ts";
import type { Layout } from "./random_layout.ts";

const NUMBER_KIND = /^(u?int(8|16|32|64)|float(32|64))$/;
const SLOT_KIND = /^u?int(32|64)$/;
const ORDERS: readonly ComparisonOperator[] = ["==", "!=", "<", "<=", ">", ">="];

/** What a random plan is made over. */
export interface PlanInput {
  readonly key: Layout;
  readonly value: Layout;
  /** A record that filters compare with, so that they sometimes match. */
  readonly sample: RecordBytes;
}

/** A plan with up to 6 keys, up to 5 instruments and up to 2 filter terms. */
export function randomPlan(random: Random, { key, value, sample }: PlanInput): MetricsPlan {
  const fields = [...key.fields, ...value.fields];
  const keys = Array.from({ length: random.between(0, 6) }, () => random.pick(fields));
  const values = Array.from({ length: random.between(0, 5) }, () => randomValue(random, fields))
    .filter((role) => role !== undefined);
  const short = fields.filter(({ sizeBytes }) => sizeBytes <= 64);
  const exemplar = short.length > 0 && random.chance(0.3)
    ? { field: random.pick(short), label: "example" }
    : undefined;
  const roles: MetricRoles = {
    keys: keys.map((field, index) => ({ field, label: `k${index}` })),
    values,
    ...((values.length === 0 || random.chance(0.5)) &&
      { implicitCounter: { name: "events", description: "" } }),
    collect: true,
    print: false,
    ...(exemplar && { exemplar }),
    ...(random.chance(0.3) && { ttlMs: random.between(1, 50) }),
    ...(random.chance(0.5) && { limit: random.between(1, 6) }),
  };
  const filter = Array.from(
    { length: random.pick([0, 0, 0, 1, 2]) },
    () => randomTerm(random, { field: random.pick(fields), sample }),
  ).filter((term) => term !== undefined);
  return makePlan(roles, {
    fields,
    filter,
    recordSizeBytes: key.sizeBytes,
    valueSizeBytes: value.sizeBytes,
  });
}

function randomValue(random: Random, fields: readonly Field[]): ValueRole | undefined {
  const numbers = fields.filter(({ kind, arrayLength }) =>
    arrayLength === 0 && NUMBER_KIND.test(kind)
  );
  const slots = fields.filter(({ kind, arrayLength }) => arrayLength > 0 && SLOT_KIND.test(kind));
  const described = { name: "metric", description: "", unit: "" };
  if (slots.length > 0 && random.chance(0.5)) {
    const field = random.pick(slots);
    return {
      ...described,
      field,
      type: "histogram",
      isSlots: true,
      ...(random.chance(0.4) && { boundaries: randomBounds(random, field.arrayLength - 1) }),
      ...(numbers.length > 0 && random.chance(0.4) && { sumField: random.pick(numbers) }),
    };
  }
  if (numbers.length === 0) return undefined;
  return {
    ...described,
    field: random.pick(numbers),
    type: random.pick(["counter", "gauge", "histogram"] as const),
    isSlots: false,
    ...random.pick([
      {},
      { boundaries: randomBounds(random, random.pick([0, 1, 3, 64, 65, 130])) },
      { exponential: randomExponential(random) },
    ]),
  };
}

function randomExponential(random: Random): ExponentialBoundaries {
  return {
    schema: random.between(0, 4),
    from: random.pick([0.1, 1, 7]),
    to: random.pick([7, 100, 1000]),
    isSigned: random.chance(0.3),
  };
}

function randomBounds(random: Random, count: number): number[] {
  let bound = random.between(-30, 5);
  return Array.from({ length: count }, () => bound += random.pick([0.5, 1, 3, 1000]));
}

/** A condition of any type that fits the field; undefined for what cannot be filtered. */
function randomTerm(
  random: Random,
  { field, sample }: { field: Field; sample: RecordBytes },
): FilterTerm | undefined {
  if (field.arrayLength > 0 || field.kind === "bytes") return undefined;
  const operator = random.pick(ORDERS);
  const equality = random.pick(["==", "!="] as const);
  if (field.kind === "cstring" || (field.format !== undefined && random.chance(0.5))) {
    if (random.chance(0.2)) {
      const pattern = random.pick([/a/, /^b/, /\ufffd/, /./su]);
      return { type: "pattern", field, operator: random.pick(["~", "!~"]), pattern };
    }
    const value = random.chance(0.7)
      ? field.format === undefined ? String(readField(field, sample)) : formattedText(field, sample)
      : random.pick(["", "a", "ab", "b\0", "\\xff", "\ufffd", "\ud800", "ä", "a".repeat(70)]);
    return { type: "text", field, operator: random.chance(0.7) ? equality : operator, value };
  }
  if (field.kind === "bool") {
    return { type: "boolean", field, operator: equality, value: random.chance(0.5) };
  }
  if (isFloatKind(field.kind)) {
    const own = readNumber(field, sample);
    const value = random.chance(0.5) && !Number.isNaN(own)
      ? own
      : random.pick([0, -0, 1.5, Infinity, -Infinity, 1e300]);
    return { type: "float", field, operator, value };
  }
  const own = readInteger(field, sample);
  const value = random.pick([own, own, own + 1n, 0n, -1n, 2n ** 53n + 1n, 2n ** 64n, -(2n ** 70n)]);
  return { type: "integer", field, operator, value };
}

function formattedText(field: Field, record: RecordBytes): string {
  return `<${String(readField(field, record))}>`;
}

/** Formatters of all fields that have a format. */
export function testFormatters(fields: readonly Field[]): ReadonlyMap<Field, FieldFormatter> {
  return new Map(
    fields.filter(({ format }) => format !== undefined)
      .map((field) => [field, (record: RecordBytes) => formattedText(field, record)]),
  );
}
