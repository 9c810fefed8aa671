// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "../../../src/errors.ts";
import { findMarkers, readMapDefinitions } from "../../../src/gadget/mod.ts";
import { eventsObject, mapObject, ObjectBuilder } from "./_object_builder.ts";

function find(object: ObjectBuilder) {
  const { btf } = object.build();
  return findMarkers(btf, readMapDefinitions(btf));
}

Deno.test("every kind of marker is read", () => {
  const object = eventsObject();
  object.struct("row", { pid: object.type("__u32") });
  object.program("walk_tasks");
  object.program("walk_files");
  object.map("stats", { type: 5, key: object.type("__u32"), value: object.type("__u64") });
  object.marker("gadget_iter_tasks___row___walk_tasks___walk_files");
  object.marker("gadget_snapshotter_old___row___walk_tasks");
  object.marker("gadget_mapiter_totals___stats");
  object.marker("gadget_map_tracer_rb");
  object.marker("gadget_mapelem_iter_target_walk___stats");
  object.marker("gadget_sk_prog_target_verdict___stats");
  object.param("targ_pid", object.type("__u32"));
  const markers = find(object);
  assertEquals(markers.dataSources.map(({ name, origin }) => [name, origin]), [
    ["events", { kind: "tracer", map: "rb", struct: "event" }],
    ["tasks", { kind: "iter", struct: "row", programs: ["walk_tasks", "walk_files"] }],
    ["old", { kind: "iter", struct: "row", programs: ["walk_tasks"] }],
    ["totals", { kind: "mapiter", map: "stats" }],
  ]);
  assertEquals(markers.params, ["targ_pid"]);
  assertEquals(markers.tracerMaps, ["rb"]);
  assertEquals([...markers.iterTargetMaps], [["walk", "stats"]]);
  assertEquals(markers.warnings, [
    "marker gadget_sk_prog_target_verdict___stats: socket map programs are not supported; ignored",
  ]);
});

Deno.test("variables that only look like markers are warned of", () => {
  const object = mapObject();
  object.variable("gadget_tracer_x___y___z", object.type("int"));
  object.variable("gadget_param_secret", object.type("int"), "static");
  const markers = find(object);
  assertEquals(markers.dataSources.map(({ name }) => name), ["mymetrics"]);
  assertEquals(markers.warnings, [
    'variable gadget_tracer_x___y___z has the name of a marker, but is not a global "const void *"; ignored',
    'variable gadget_param_secret has the name of a marker, but is not a global "const void *"; ignored',
  ]);
});

const REFUSED: { marker: string; message: string; hint: string }[] = [
  {
    marker: "gadget_tracer_exec___evnts___event",
    message:
      'Marker gadget_tracer_exec___evnts___event names the map "evnts", which the object does not have',
    hint: 'maps of the object: "rb"',
  },
  {
    marker: "gadget_tracer_exec___rb___evnt",
    message:
      'Marker gadget_tracer_exec___rb___evnt names the struct "evnt", which the object does not have',
    hint: 'did you mean "event"? structs of the object: "event"',
  },
  {
    marker: "gadget_mapiter_totals___rv",
    message: 'Marker gadget_mapiter_totals___rv names the map "rv", which the object does not have',
    hint: 'maps of the object: "rb"',
  },
  {
    marker: "gadget_iter_tasks___event___walk",
    message:
      'Marker gadget_iter_tasks___event___walk names the program "walk", which the object does not have',
    hint: "programs of the object: none",
  },
  {
    marker: "gadget_param_targ_pid",
    message:
      'Marker gadget_param_targ_pid names the variable "targ_pid", which the object does not have',
    hint: "variables of the object: none",
  },
  {
    marker: "gadget_tracer_exec___rb",
    message: 'Marker gadget_tracer_exec___rb has 2 parts after "gadget_tracer_", expected ' +
      'name___map___struct separated by "___"',
    hint: 'names of data sources, maps, structs and programs cannot contain "___"',
  },
  {
    marker: "gadget_iter_a___event",
    message: 'Marker gadget_iter_a___event has 2 parts after "gadget_iter_", expected ' +
      'name___struct___program___[program]___[program] separated by "___"',
    hint: 'names of data sources, maps, structs and programs cannot contain "___"',
  },
  {
    marker: "gadget_tracer_events___rb___event",
    message:
      "Markers gadget_tracer_events___rb___event and gadget_tracer_events___rb___event both " +
      'declare the data source "events"',
    hint: "give each data source a name of its own",
  },
];
for (const { marker, message, hint } of REFUSED) {
  Deno.test(`refused: marker ${marker}`, () => {
    const error = assertThrows(() => find(eventsObject().marker(marker)), FormatError);
    assertEquals({ message: error.message, hint: error.hint }, { message, hint });
  });
}

Deno.test("map definitions are read from the .maps section", () => {
  const object = mapObject();
  object.map("rb", { type: 27, maxEntries: 262144 });
  object.map("sized", { type: 6, key: object.type("__u32"), valueSize: 40, maxEntries: 1 });
  const { btf } = object.build();
  const maps = [...readMapDefinitions(btf).values()].map((map) => [
    map.name,
    map.type,
    map.keySizeBytes,
    map.valueSizeBytes,
    map.maxEntries,
    map.keyType === undefined ? "" : btf.type(map.keyType).name,
    map.valueType === undefined ? "" : btf.type(map.valueType).name,
  ]);
  assertEquals(maps, [
    ["metrics", 1, 4, 4, 10240, "metrics_key", "metrics_value"],
    ["rb", 27, 0, 0, 262144, "", ""],
    ["sized", 6, 4, 40, 1, "__u32", ""],
  ]);
});

Deno.test("a .maps section without libbpf's form is refused", () => {
  const object = new ObjectBuilder();
  object.rawMap("m", object.struct("", { type: object.type("int") }));
  assertThrows(
    () => readMapDefinitions(object.build().btf),
    FormatError,
    'map member "type" is of kind int, expected a pointer',
  );
});
