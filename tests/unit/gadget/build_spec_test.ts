// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { FormatError, UnsupportedError, UsageError } from "../../../src/errors.ts";
import { buildGadgetSpec, type BuiltGadget } from "../../../src/gadget/mod.ts";
import { eventsObject, mapObject, ObjectBuilder } from "./_object_builder.ts";

function build(object: ObjectBuilder, metadataText = "", ...annotate: string[]): BuiltGadget {
  return buildGadgetSpec({ name: "test", ...object.build(), metadataText, annotate });
}

function fieldNames(built: BuiltGadget, index = 0): string[] {
  return built.spec.dataSources[index].fields.map(({ name }) => name);
}

function fieldOf(built: BuiltGadget, name: string) {
  const field = built.spec.dataSources[0].fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new Error(`no field ${name}`);
  return field;
}

Deno.test("a tracer gets the fields of its struct", () => {
  const [source] = build(eventsObject(), "description: counts").spec.dataSources;
  assertEquals(source.name, "events");
  assertEquals(source.origin, { kind: "tracer", map: "rb", struct: "event" });
  assertEquals(
    source.fields.map(({ name, kind, segment, offsetBytes }) => [name, kind, segment, offsetBytes]),
    [["name", "cstring", 0, 0], ["count", "int32", 0, 16]],
  );
  assertEquals([source.recordSizeBytes, source.valueSizeBytes], [20, 0]);
});

Deno.test("a map iterator gets key fields, tagged, and value fields", () => {
  const [source] = build(mapObject()).spec.dataSources;
  assertEquals(
    source.fields.map(({ name, segment, tags }) => [name, segment, tags.includes("role:key")]),
    [["key", 0, true], ["counter", 1, false]],
  );
  assertEquals([source.recordSizeBytes, source.valueSizeBytes], [4, 4]);
});

Deno.test("the key of an array map is its index, scalar values are called value", () => {
  const object = new ObjectBuilder();
  object.map("counts", { type: 6, key: object.type("__u32"), value: object.type("__u64") });
  assertEquals(fieldNames(build(object.marker("gadget_mapiter_c___counts"))), ["index", "value"]);
});

Deno.test("key members that value members have too are prefixed, with all below them", () => {
  const object = new ObjectBuilder();
  const address = object.struct("address", { ip: object.type("__u32") });
  const u64 = object.type("__u64");
  const key = object.struct("k", { pid: u64, addr: address, count: u64 });
  const value = object.struct("v", { count: u64, addr: u64 });
  object.map("m", { type: 1, key, value }).marker("gadget_mapiter_m___m");
  const built = build(object);
  assertEquals(fieldNames(built), ["pid", "key.addr", "key.addr.ip", "key.count", "count", "addr"]);
  assertEquals(fieldOf(built, "key.addr.ip").parent, "key.addr");
});

/** Precedence: each row adds one more place that says something. */
const PRECEDENCE: {
  name: string;
  yaml?: string[];
  flags?: string[];
  expected: [string?, string?];
}[] = [
  { name: "defaults and C type", expected: ["16", "7"] },
  { name: "yaml template wins over the C type", yaml: ["template: uid"], expected: ["16", "8"] },
  {
    name: "yaml annotations win over the yaml template, whatever their order",
    yaml: ["columns.minwidth: 3", "template: uid"],
    expected: ["16", "3"],
  },
  {
    name: "--annotate wins over yaml",
    yaml: ["columns.minwidth: 3", "columns.width: 20"],
    flags: ["events.pid:columns.minwidth=4"],
    expected: ["20", "4"],
  },
  {
    name: "a later --annotate wins over an earlier one",
    flags: ["events.pid:columns.width=5", "events.PID:columns.width=6"],
    expected: ["6", "7"],
  },
  {
    name: "a template of --annotate does not win over annotations of yaml",
    yaml: ["columns.minwidth: 3"],
    flags: ["events.pid:template=syscall"],
    expected: ["18", "3"],
  },
];
for (const { name, yaml = [], flags = [], expected } of PRECEDENCE) {
  Deno.test(`precedence: ${name}`, () => {
    const object = new ObjectBuilder();
    const pid = object.typedef("gadget_pid", object.type("__u32"));
    object.struct("event", { pid });
    object.map("rb", { type: 27 }).marker("gadget_tracer_events___rb___event");
    const text = `datasources: {events: {fields: {pid: {annotations: {${yaml.join(", ")}}}}}}`;
    const { annotations } = fieldOf(build(object, text, ...flags), "pid");
    assertEquals([annotations["columns.width"], annotations["columns.minwidth"]], expected);
  });
}

Deno.test("annotations and tags of data sources and fields arrive, coerced", () => {
  const built = build(
    eventsObject(),
    `
datasources:
  events:
    tags: [ours]
    annotations: {metrics.collect: True, metrics.implicit-counter.name: eventctr}
    fields:
      Count: {tags: [mine], annotations: {metrics.type: counter, columns.hidden: "true"}}
`,
    "events.name:metrics.type=key",
  );
  const [source] = built.spec.dataSources;
  assertEquals(source.annotations, {
    "metrics.collect": "true",
    "metrics.implicit-counter.name": "eventctr",
  });
  assertEquals(source.tags, ["ours"]);
  const count = fieldOf(built, "count");
  assertEquals([count.annotations["metrics.type"], count.hidden], ["counter", true]);
  assertEquals(count.tags.includes("mine") && count.tags.includes("type:__s32"), true);
  assertEquals(fieldOf(built, "name").annotations["metrics.type"], "key");
  assertEquals(built.warnings, []);
});

const YAML_REFUSED: {
  name: string;
  object: ObjectBuilder;
  yaml: string;
  message: string;
  hint: string;
}[] = [
  {
    name: "the seed page's data source named like its map",
    object: mapObject(),
    yaml: "datasources:\n  metrics:\n    annotations:\n      metrics.collect: true\n",
    message:
      'Unknown data source in gadget.yaml:2 (datasources.metrics): "metrics" is the name of ' +
      'a map; its data source is called "mymetrics"',
    hint: 'write "mymetrics", the name that GADGET_MAPITER(mymetrics, metrics) gives it',
  },
  {
    name: "the seed page's matrics",
    object: eventsObject(),
    yaml: "datasources:\n  events:\n    annotations:\n" +
      "      metrics.implicit-counter.name: eventctr\n" +
      "      matrics.implicit-counter.description: number of events\n",
    message: "Unknown annotation in gadget.yaml:5 " +
      "(datasources.events.annotations.matrics.implicit-counter.description): " +
      '"matrics.implicit-counter.description"',
    hint: 'did you mean "metrics.implicit-counter.description"?',
  },
  {
    name: "a misspelt data source, even with an empty section",
    object: eventsObject(),
    yaml: "datasources:\n  evnets:\n",
    message:
      'Unknown data source in gadget.yaml:2 (datasources.evnets): the gadget has no data source "evnets"',
    hint: 'did you mean "events"? data sources: "events"',
  },
  {
    name: "a misspelt field, even with an empty section",
    object: eventsObject(),
    yaml: "datasources:\n  events:\n    fields:\n      cuont:\n",
    message:
      'Unknown field in gadget.yaml:4 (datasources.events.fields.cuont): data source "events" has no field "cuont"',
    hint: 'did you mean "count"? fields: "name", "count"',
  },
  {
    name: "a metric type on a data source",
    object: eventsObject(),
    yaml: "datasources:\n  events:\n    annotations:\n      metrics.type: counter\n",
    message:
      "Misplaced annotation in gadget.yaml:4 (datasources.events.annotations.metrics.type): " +
      '"metrics.type" belongs to a field, not to data source "events"',
    hint: "write it under datasources.events.fields.FIELD.annotations",
  },
];
for (const { name, object, yaml, message, hint } of YAML_REFUSED) {
  Deno.test(`refused in gadget.yaml: ${name}`, () => {
    const error = assertThrows(() => build(object, yaml), FormatError);
    assertEquals({ message: error.message, hint: error.hint }, { message, hint });
  });
}

const FLAGS_REFUSED: [flag: string, message: string, hint: string][] = [
  [
    "event:metrics.collect=true",
    'Unknown data source in --annotate "event:metrics.collect=true": "event" is the name of a struct; its data source is called "events"',
    'write "events", the name that GADGET_TRACER(events, rb, event) gives it',
  ],
  [
    "events.nmae:metrics.type=key",
    'Unknown field in --annotate "events.nmae:metrics.type=key": data source "events" has no field "nmae"',
    'did you mean "name"? fields: "name", "count"',
  ],
];
for (const [flag, message, hint] of FLAGS_REFUSED) {
  Deno.test(`refused: --annotate ${flag}`, () => {
    const error = assertThrows(() => build(eventsObject(), "", flag), UsageError);
    assertEquals({ message: error.message, hint: error.hint }, { message, hint });
  });
}

Deno.test("a leaf name of a nested field gets its full name suggested", () => {
  const object = new ObjectBuilder();
  const creds = object.struct("c", { uid: object.type("__u32") });
  object.struct("event", { proc: object.struct("p", { creds }) });
  object.map("rb", { type: 27 }).marker("gadget_tracer_e___rb___event");
  const error = assertThrows(() => build(object, "", "e.uid:metrics.type=key"), UsageError);
  assertEquals(error.hint, 'did you mean "proc.creds.uid"? members of structs are named with dots');
});

Deno.test("what only Inspektor Gadget has is warned of, not refused", () => {
  const { warnings } = build(
    eventsObject(),
    `
datasources:
  bpfstats:
    annotations: {metrics.collect: true}
  events:
    annotations: {acme.level: 3}
    fields:
      k8s.podName: {annotations: {metrics.type: key}}
`,
  );
  assertEquals(warnings, [
    'gadget.yaml:3 (datasources.bpfstats): kmeter has no built-in data source "bpfstats"; ignored',
    'gadget.yaml:6 (datasources.events.annotations.acme.level): kmeter does not know the annotation "acme.level"',
    "gadget.yaml:8 (datasources.events.fields.k8s.podName): fields of containers are not available; ignored",
  ]);
});

/** `struct event { gadget_errno error_raw; enum state state; gadget_timestamp when_raw; }` */
function textObject(): ObjectBuilder {
  const object = new ObjectBuilder();
  object.struct("event", {
    error_raw: object.typedef("gadget_errno", object.type("__u32")),
    state: object.enum("state", { IDLE: 0, BUSY: 1 }),
    when_raw: object.typedef("gadget_timestamp", object.type("__u64")),
  });
  return object.map("rb", { type: 27 }).marker("gadget_tracer_events___rb___event");
}

const TEXT_TARGETS: { flags: string[]; expected: string[] }[] = [
  { flags: [], expected: ["error_raw", "error", "state", "when_raw", "when"] },
  {
    flags: ["events.error_raw:formatters.errno.target=reason"],
    expected: ["error_raw", "reason", "state", "when_raw", "when"],
  },
  {
    flags: ["events.state:ebpf.formatter.enum=state_name"],
    expected: ["error_raw", "error", "state", "state_name", "when_raw", "when"],
  },
];
for (const { flags, expected } of TEXT_TARGETS) {
  Deno.test(`text fields after ${JSON.stringify(flags)}`, () => {
    assertEquals(fieldNames(build(textObject(), "", ...flags)), expected);
  });
}

Deno.test("a renamed text field can be annotated by its new name", () => {
  const built = build(
    textObject(),
    "",
    "events.reason:metrics.type=key",
    "events.error_raw:formatters.errno.target=reason",
  );
  assertEquals(fieldOf(built, "reason").annotations["metrics.type"], "key");
  assertEquals(fieldOf(built, "error_raw").annotations["metrics.type"], undefined);
});

Deno.test("formats of text fields are set through the number's field", () => {
  const built = build(textObject(), "", "events.when_raw:formatters.timestamp.format=15:04");
  assertEquals(fieldOf(built, "when").format, { type: "timestamp", layout: "15:04" });
});

Deno.test("a target that is another field is refused, one without text is warned of", () => {
  const taken = "events.error_raw:formatters.errno.target=state";
  const error = assertThrows(() => build(textObject(), "", taken), UsageError);
  assertEquals(
    error.message,
    'Cannot name the text of field "error_raw" in --annotate ' +
      '"events.error_raw:formatters.errno.target=state": there is a field "state" already',
  );
  const { warnings } = build(textObject(), "", "events.state:formatters.errno.target=x");
  assertEquals(warnings, [
    '--annotate "events.state:formatters.errno.target=x": the C type of field "state" has no such text; ignored',
  ]);
});

Deno.test("maps that do not fit their marker are refused", () => {
  const tracer = new ObjectBuilder();
  tracer.struct("event", { a: tracer.type("int") });
  tracer.map("m", { type: 1 }).marker("gadget_tracer_e___m___event");
  assertThrows(
    () => build(tracer),
    FormatError,
    'Data source "e": map "m" has type 1, expected a ring buffer (27) or a perf event array (4)',
  );
  const queue = new ObjectBuilder();
  queue.map("q", { type: 22, value: queue.type("__u32") }).marker("gadget_mapiter_q___q");
  assertThrows(
    () => build(queue),
    UnsupportedError,
    'Data source "q": map "q" has type 22, which has no entries to list',
  );
  const untyped = new ObjectBuilder();
  untyped.map("u", { type: 1, key: untyped.type("__u32"), valueSize: 8 });
  assertThrows(
    () => build(untyped.marker("gadget_mapiter_u___u")),
    FormatError,
    'Data source "u": map "u" does not say what type its value has',
  );
});
