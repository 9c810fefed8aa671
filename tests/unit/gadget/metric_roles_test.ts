// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../src/errors.ts";
import { buildGadgetSpec, type MetricRoles, metricRoles } from "../../../src/gadget/mod.ts";
import { instrumentName } from "../../../src/gadget/metric_names.ts";
import { ObjectBuilder } from "./_object_builder.ts";

/** Members of `struct event`, each `name: type`, `name: type[n]` or `name: typedef=type`. */
function sourceOf(members: Record<string, string>, annotate: string[]) {
  const object = new ObjectBuilder();
  const made = Object.entries(members).map(([name, text]) => {
    const [, typedef, base, length] = /^(?:(\w+)=)?([\w ]+?)(?:\[(\d+)\])?$/.exec(text) ?? [];
    const named = typedef ? object.typedef(typedef, object.type(base)) : object.type(base);
    return [name, length ? object.array(named, Number(length)) : named] as const;
  });
  object.struct("event", Object.fromEntries(made));
  object.map("rb", { type: 27 }).marker("gadget_tracer_e___rb___event");
  const { spec } = buildGadgetSpec({ name: "test", ...object.build(), annotate });
  return spec.dataSources[0];
}

/** Annotations are written `field:key=value` or `:key=value` for the data source. */
function rolesOf(members: Record<string, string>, ...annotations: string[]): MetricRoles {
  const flags = annotations.map((text) => {
    const escaped = text.replaceAll(",", String.raw`\,`);
    return escaped.startsWith(":") ? `e${escaped}` : `e.${escaped}`;
  });
  return metricRoles(sourceOf(members, flags));
}

function summary(roles: MetricRoles): string[] {
  return [
    ...roles.keys.map(({ label }) => `key ${label}`),
    ...roles.values.map(({ type, name, isSlots }) => `${type} ${name}${isSlots ? " slots" : ""}`),
    ...roles.implicitCounter ? [`implicit ${roles.implicitCounter.name}`] : [],
  ];
}

const ROLES: {
  name: string;
  members: Record<string, string>;
  annotate?: string[];
  expected: string[];
}[] = [
  { name: "nothing by default", members: { pid: "__u32", comm: "char[16]" }, expected: [] },
  {
    name: "key and counter of the Adding Metrics page",
    members: { name: "char[16]", count: "__s32" },
    annotate: ["count:metrics.type=counter", "name:metrics.type=key"],
    expected: ["key name", "counter count"],
  },
  {
    name: "the implicit counter",
    members: { name: "char[16]" },
    annotate: ["name:metrics.type=key", ":metrics.implicit-counter.name=eventctr"],
    expected: ["key name", "implicit eventctr"],
  },
  {
    name: "C types",
    members: {
      a: "gadget_counter__u32=__u32",
      b: "gadget_gauge__u64=__u64",
      c: "gadget_histogram_slot__u32=__u32[27]",
      d: "gadget_histogram_slot__u64=__u64",
    },
    expected: ["counter a", "gauge b", "histogram c slots", "histogram d"],
  },
  {
    name: "an annotation wins over the C type, none removes it",
    members: { a: "gadget_counter__u32=__u32", b: "gadget_counter__u64=__u64" },
    annotate: ["a:metrics.type=gauge", "b:metrics.type=none"],
    expected: ["gauge a"],
  },
  {
    name: "metrics.name renames labels and metrics",
    members: { a: "__u32", b: "__u32" },
    annotate: [
      "a:metrics.type=key",
      "a:metrics.name=x.y",
      "b:metrics.type=gauge",
      "b:metrics.name= 9 lives! ",
    ],
    expected: ["key x.y", "gauge metric_9_lives"],
  },
  {
    name: "an empty metrics.name leaves the field's name",
    members: { a: "__u32", b: "__u32" },
    annotate: ["a:metrics.type=key", "a:metrics.name=", "b:metrics.type=gauge", "b:metrics.name="],
    expected: ["key a", "gauge b"],
  },
  {
    name: "keys of every kind",
    members: { a: "bool", b: "double", c: "__u8[6]", d: "char[4]", e: "unsigned __int128" },
    annotate: ["a", "b", "c", "d", "e"].map((field) => `${field}:metrics.type=key`),
    expected: ["key a", "key b", "key c", "key d", "key e"],
  },
];
for (const { name, members, annotate = [], expected } of ROLES) {
  Deno.test(`roles: ${name}`, () => assertEquals(summary(rolesOf(members, ...annotate)), expected));
}

Deno.test("counters, gauges and histograms take every integer and float type", () => {
  const types = ["__u8", "__s8", "__u16", "__s16", "__u32", "__s32", "__u64", "__s64", "double"];
  for (const type of types) {
    for (const metric of ["counter", "gauge", "histogram"]) {
      assertEquals(summary(rolesOf({ v: type }, `v:metrics.type=${metric}`)), [`${metric} v`]);
    }
  }
});

Deno.test("a private typedef of a metric type is still a metric", () => {
  const object = new ObjectBuilder();
  const counter = object.typedef("gadget_counter__u64", object.type("__u64"));
  object.struct("event", { bytes: object.typedef("total_bytes_t", counter) });
  object.map("rb", { type: 27 }).marker("gadget_tracer_e___rb___event");
  const { spec } = buildGadgetSpec({ name: "test", ...object.build(), annotate: [] });
  assertEquals(summary(metricRoles(spec.dataSources[0])), ["counter bytes"]);
});

Deno.test("descriptions, units, boundaries and limits", () => {
  const roles = rolesOf(
    { lat: "gadget_duration=__u64", size: "gadget_bytes=__u64", n: "__u32" },
    "lat:metrics.type=histogram",
    "lat:metrics.boundaries=1, 2.5, 1e3",
    "lat:metrics.description=how long",
    "size:metrics.type=counter",
    "size:metrics.unit=KiBy",
    "n:metrics.type=gauge",
    "n:description=how many",
    ":metrics.collect=true",
    ":metrics.ttl=90s",
    ":metrics.limit=7",
    ":metrics.implicit-counter.name=execs",
    ":metrics.implicit-counter.description=number of execs",
  );
  assertEquals(
    roles.values.map((
      { name, unit, description, boundaries },
    ) => [name, unit, description, boundaries]),
    [
      ["lat", "ns", "how long", [1, 2.5, 1000]],
      ["size", "KiBy", "", undefined],
      ["n", "", "how many", undefined],
    ],
  );
  assertEquals(roles.implicitCounter, { name: "execs", description: "number of execs" });
  assertEquals([roles.collect, roles.print, roles.ttlMs, roles.limit], [true, false, 90_000, 7]);
});

Deno.test("slots take boundaries for all but the last slot, and a field for their sum", () => {
  const members = { slots: "gadget_histogram_slot__u32=__u32[4]", total: "__u64" };
  const { values } = rolesOf(members, "slots:metrics.boundaries=1,2,4", "slots:metrics.sum=total");
  assertEquals([values[0].boundaries, values[0].sumField?.name], [[1, 2, 4], "total"]);
});

Deno.test("text fields are labels as text, and metrics as their number", () => {
  const roles = rolesOf(
    { error_raw: "gadget_errno=__u32", bytes_raw: "gadget_bytes=__u64" },
    "error:metrics.type=key",
    "bytes:metrics.type=counter",
  );
  assertEquals(summary(roles), ["key error", "counter bytes"]);
  assertEquals([roles.keys[0].field.format?.type, roles.values[0].field.kind], ["errno", "uint64"]);
});

const REFUSED: {
  name: string;
  members: Record<string, string>;
  annotate: string[];
  message: string;
  hint: string;
}[] = [
  {
    name: "a string as a counter",
    members: { comm: "char[16]" },
    annotate: ["comm:metrics.type=counter"],
    message:
      'Field "e.comm" cannot be a counter: its kind is cstring, expected an integer of at most 64 bits or a float',
    hint: 'set "metrics.type" to "key" to make it a label, or to "none"',
  },
  {
    name: "a 128-bit gauge",
    members: { big: "unsigned __int128" },
    annotate: ["big:metrics.type=gauge"],
    message:
      'Field "e.big" cannot be a gauge: its kind is uint128, expected an integer of at most 64 bits or a float',
    hint: 'set "metrics.type" to "key" to make it a label, or to "none"',
  },
  {
    name: "an array as a gauge",
    members: { loads: "__u32[3]" },
    annotate: ["loads:metrics.type=gauge"],
    message: 'Field "e.loads" cannot be a gauge: it is an array of 3 uint32',
    hint: "arrays can be histograms with one count per slot, or keys",
  },
  {
    name: "slots of 16 bits",
    members: { slots: "__u16[8]" },
    annotate: ["slots:metrics.type=histogram"],
    message:
      'Field "e.slots" cannot be a histogram: it is an array of 8 uint16, but slots are 32 or 64 bits wide',
    hint: "use gadget_histogram_slot__u32 or gadget_histogram_slot__u64",
  },
  {
    name: "a schema for slots",
    members: { slots: "__u32[4]" },
    annotate: ["slots:metrics.type=histogram", "slots:metrics.boundaries=schema 0 from 1 to 8"],
    message:
      'Field "e.slots" has 4 slots, which the gadget has counted: a schema cannot change them',
    hint:
      'write one number per slot into "metrics.boundaries", or remove it for slots of powers of two',
  },
  {
    name: "boundaries that do not fit the slots",
    members: { slots: "__u32[4]" },
    annotate: ["slots:metrics.type=histogram", "slots:metrics.boundaries=1,2"],
    message: 'Field "e.slots" has 4 slots and 2 boundaries, expected 3',
    hint: 'write one number per slot into "metrics.boundaries", without the last slot: it is +Inf',
  },
  {
    name: "a sum that is no field",
    members: { slots: "__u32[4]", total: "__u64" },
    annotate: ["slots:metrics.type=histogram", "slots:metrics.sum=totla"],
    message: 'Field "e.slots" takes its sum from "totla", which is no field',
    hint: 'did you mean "total"? fields: "slots", "total"',
  },
  {
    name: "an exemplar that is no field",
    members: { pid: "__u32", fname: "char[65]" },
    annotate: [":metrics.exemplar=pdi"],
    message: 'Data source "e" takes its exemplars from "pdi", which is no field',
    hint: 'did you mean "pid"? fields: "pid", "fname"',
  },
  {
    name: "an exemplar that is too long",
    members: { pid: "__u32", fname: "char[65]" },
    annotate: [":metrics.exemplar=fname"],
    message: 'Field "e.fname" cannot be an exemplar: it has 65 bytes',
    hint: "exemplars are short: at most 64 bytes, such as an id or a comm",
  },
  {
    name: "two values of one name",
    members: { a: "__u32", b: "__u32" },
    annotate: ["a:metrics.type=gauge", "b:metrics.type=counter", "b:metrics.name=a"],
    message: 'Data source "e": field "a" and field "b" both make the metric "a"',
    hint: 'give one of them another name: annotation "metrics.name"',
  },
  {
    name: "an implicit counter named as a value",
    members: { count: "__u32" },
    annotate: ["count:metrics.type=counter", ":metrics.implicit-counter.name=count"],
    message: 'Data source "e": field "count" and the implicit counter both make the metric "count"',
    hint: 'give one of them another name: annotation "metrics.name"',
  },
  {
    name: "two labels that Prometheus writes alike",
    members: { a_b: "__u32", c: "__u32" },
    annotate: ["a_b:metrics.type=key", "c:metrics.type=key", "c:metrics.name=a.b"],
    message: 'Data source "e": field "a_b" and field "c" both make the label "a_b"',
    hint: 'give one of them another name: annotation "metrics.name"',
  },
  {
    name: "two labels with signs of which Prometheus makes the same",
    members: { a_b: "__u32", c: "__u32" },
    annotate: ["a_b:metrics.type=key", "c:metrics.type=key", "c:metrics.name=a:b"],
    message: 'Data source "e": field "a_b" and field "c" both make the label "a_b"',
    hint: 'give one of them another name: annotation "metrics.name"',
  },
  ...["quantile", "otel_metric_overflow", "otel.scope.version"].map((name) => ({
    name: `the reserved label ${name}`,
    members: { x: "__u32" },
    annotate: ["x:metrics.type=key", `x:metrics.name=${name}`],
    message: `Data source "e": field "x" makes the label "${
      name.replaceAll(".", "_")
    }", which is reserved`,
    hint: 'give it another name: annotation "metrics.name"',
  })),
  {
    name: "a reserved label",
    members: { le: "__u32" },
    annotate: ["le:metrics.type=key"],
    message: 'Data source "e": field "le" makes the label "le", which is reserved',
    hint: 'give it another name: annotation "metrics.name"',
  },
];
for (const { name, members, annotate, message, hint } of REFUSED) {
  Deno.test(`refused: ${name}`, () => {
    const error = assertThrows(() => rolesOf(members, ...annotate), UsageError);
    assertEquals({ message: error.message, hint: error.hint }, { message, hint });
  });
}

Deno.test("labels that Prometheus writes apart are not refused", () => {
  const annotate = ["_a:metrics.type=key", "a:metrics.type=key"];
  assertEquals(summary(rolesOf({ _a: "__u32", a: "__u32" }, ...annotate)).slice(0, 2), [
    "key _a",
    "key a",
  ]);
});

Deno.test("who chose a name that is not legal learns what becomes of it", () => {
  const object = new ObjectBuilder();
  const member = object.type("__u32");
  object.struct("event", { a: member, b: member, c: member, d: member });
  object.map("rb", { type: 27 }).marker("gadget_tracer_e___rb___event");
  const annotate = [
    "e.a:metrics.type=key",
    "e.a:metrics.name=__name__",
    "e.b:metrics.type=counter",
    "e.b:metrics.name=größe µs",
    "e.c:metrics.type=key",
    "e.c:metrics.name=proc.comm",
    "e.d:metrics.type=gauge",
    "e.d:metrics.name=a_b",
    "e:metrics.implicit-counter.name=9 lives",
  ];
  const { warnings } = buildGadgetSpec({ name: "test", ...object.build(), annotate });
  assertEquals(warnings, [
    'metrics.name of field "e.a": "__name__" is no legal name: it becomes "key_name_"',
    'metrics.name of field "e.b": "größe µs" is no legal name: it becomes "gr_e_s"',
    'metrics.implicit-counter.name of data source "e": "9 lives" is no legal name: it becomes "metric_9_lives"',
  ]);
});

Deno.test("a struct cannot be a key, its members can", () => {
  const object = new ObjectBuilder();
  const proc = object.struct("p", { pid: object.type("__u32"), tid: object.type("__u32") });
  object.struct("event", { proc });
  object.map("rb", { type: 27 }).marker("gadget_tracer_e___rb___event");
  const annotate = (flag: string) =>
    buildGadgetSpec({ name: "test", ...object.build(), annotate: [flag] }).spec.dataSources[0];
  const error = assertThrows(() => metricRoles(annotate("e.proc:metrics.type=key")), UsageError);
  assertEquals(error.message, 'Field "e.proc" cannot be a key: it is a struct or union');
  assertEquals(error.hint, 'annotate its members instead: "proc.pid", "proc.tid"');
  assertEquals(summary(metricRoles(annotate("e.proc.pid:metrics.type=key"))), ["key proc.pid"]);
});

const NAMES: [wish: string, name: string][] = [
  ["count", "count"],
  ["proc.latency-ms/x", "proc.latency-ms/x"],
  ["_hidden", "hidden"],
  [".x", "x"],
  ["9x", "metric_9x"],
  ["", "metric"],
  ["___", "metric"],
  ["größe µs", "gr_e_s"],
  ["a".repeat(300), "a".repeat(255)],
];
for (const [wish, name] of NAMES) {
  Deno.test(`instrument name of ${JSON.stringify(wish.slice(0, 20))}`, () => {
    assertEquals(instrumentName(wish), name);
  });
}
