// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { generateIngest } from "../../../src/metrics/mod.ts";
import { makeField } from "../decode/fields.ts";
import { rowsOf } from "./batches.ts";
import { numberField, planOf, type PlanParts, valueRole, words64 } from "./plans.ts";
import { TwinStores } from "./_twin_stores.ts";

const GOLDENS = new URL("../../golden/metrics/", import.meta.url);

/** Compares with a reviewed file; `UPDATE=1` rewrites it. */
function assertGolden(name: string, actual: string): void {
  const file = new URL(name, GOLDENS);
  if (Deno.env.get("UPDATE") === "1") Deno.writeTextFileSync(file, actual);
  assertEquals(actual, Deno.readTextFileSync(file), `${name} differs; UPDATE=1 rewrites it`);
}

const COMM = makeField({ name: "comm", kind: "cstring", sizeBytes: 16 });
const PID = numberField("pid", "uint32", { offsetBytes: 16 });
const SLOTS = makeField({
  name: "latency",
  kind: "uint32",
  sizeBytes: 16,
  arrayLength: 4,
  segment: 1,
});
const BYTES = numberField("bytes", "uint64", { offsetBytes: 24 });

const EVENTS: PlanParts = {
  keys: [COMM, PID],
  values: [valueRole(BYTES, "counter")],
  implicitCounter: { name: "events", description: "" },
  recordSizeBytes: 32,
};
const GENERATED: readonly {
  readonly name: string;
  readonly parts: PlanParts;
  readonly snapshot: boolean;
}[] = [
  { name: "events.txt", parts: EVENTS, snapshot: false },
  {
    name: "slots_snapshot.txt",
    parts: {
      keys: [numberField("disk", "uint32")],
      values: [valueRole(SLOTS, "histogram")],
      recordSizeBytes: 4,
      valueSizeBytes: 16,
    },
    snapshot: true,
  },
  {
    name: "text_filter.txt",
    parts: {
      filter: [{ type: "text", field: COMM, operator: "!=", value: "sh" }],
      recordSizeBytes: 32,
    },
    snapshot: false,
  },
];
for (const { name, parts, snapshot } of GENERATED) {
  Deno.test(`generated source is as reviewed: ${name}`, () => {
    const options = { snapshot, skipZeroEntries: snapshot, atomicHeaders: false };
    assertGolden(name, generateIngest(planOf(parts), options));
  });
}

Deno.test("headers are read by an acquiring load where the processor reorders loads", () => {
  const options = { snapshot: false, skipZeroEntries: false };
  const plan = planOf(EVENTS);
  assertStringIncludes(generateIngest(plan, { ...options, atomicHeaders: true }), "Atomics.load(");
  assert(!generateIngest(plan, { ...options, atomicHeaders: false }).includes("Atomics"));
});

const HOSTILE_NAMES = [
  "x];evil(",
  "*/evil()//",
  "a\nevil()",
  "a\u2028evil()",
  "a\u2029evil()",
  "a\revil()",
  "`${evil()}`",
  '"evil',
  "a..evil",
  "évil",
  "",
];
for (const name of HOSTILE_NAMES) {
  Deno.test(`the name ${JSON.stringify(name)} does not reach generated source`, () => {
    const key = makeField({ name, kind: "cstring", sizeBytes: 4 });
    const value = numberField(name, "uint64", { segment: 1 });
    const slots = { ...SLOTS, name, offsetBytes: 8 };
    const plan = planOf({
      keys: [key],
      values: [
        valueRole(value, "counter", { description: name, unit: name }),
        valueRole(slots, "histogram", { sumField: value }),
        valueRole(value, "gauge"),
      ],
      filter: [
        { type: "text", field: key, operator: "!=", value: name },
        { type: "integer", field: value, operator: "!=", value: 5n },
        { type: "pattern", field: key, operator: "!~", pattern: /`\$\{evil\(\)\}`|\*\/evil/ },
      ],
      recordSizeBytes: 4,
      valueSizeBytes: 24,
    });
    const twins = new TwinStores(plan, { followsTotals: true });
    if (name !== "") assert(!twins.compiled.source.includes(name));
    assert(!twins.compiled.source.includes("evil"));
    twins.pass([rowsOf([{ key: Uint8Array.of(97, 0, 0, 0), value: words64(1n, 2n, 3n) }])]);
    assertEquals(twins.store.memory.liveCount, 1);
  });
}

Deno.test("names that mean something to objects are names like others", () => {
  const names = ["__proto__", "constructor", "toString", "a.__proto__"];
  const keys = names.map((name, index) => numberField(name, "uint32", { offsetBytes: 4 * index }));
  const twins = new TwinStores(planOf({ keys }));
  twins.rows(rowsOf([{ key: words64(1n, 2n) }]));
  for (const line of twins.compiled.source.split("\n")) {
    if (line.includes("__proto__")) assertMatch(line, /^\/\/ key \d+: (a\.)?__proto__$/);
  }
  assertEquals(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("no loop runs as often as a count says: slots cost the same for 1 and for 10^9", () => {
  const fourSlots = GENERATED[1];
  const source = generateIngest(planOf(fourSlots.parts), {
    snapshot: true,
    skipZeroEntries: false,
    atomicHeaders: false,
  });
  const loops = [...source.matchAll(/\b(?:for|while) \(([^\n]*)\) (?:\{|[^{])/g)]
    .map(([, head]) => head);
  const perSlot = ["j = 0; j < 4; j++, k++", "j = 0; same && j < 4; j++"];
  assertEquals(
    new Set(loops),
    new Set(["let index = 0; index < count; index++", ";;", ...perSlot]),
  );
});
