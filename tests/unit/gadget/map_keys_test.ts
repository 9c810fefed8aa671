// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { buildGadgetSpec, metricRoles } from "../../../src/gadget/mod.ts";
import { ObjectBuilder } from "./_object_builder.ts";

/** A map of `{pid, port} → {bytes}`, per CPU unless said otherwise. */
function sourceOf(annotate: readonly string[], mapType = 5) {
  const object = new ObjectBuilder();
  const key = object.struct("key", { pid: object.type("__u32"), port: object.type("__u16") });
  const bytes = object.typedef("gadget_counter__u64", object.type("__u64"));
  const value = object.struct("value", { bytes });
  object.map("traffic", { type: mapType, key, value }).marker("gadget_mapiter_t___traffic");
  return buildGadgetSpec({ name: "test", ...object.build(), annotate }).spec.dataSources[0];
}

const LABELS: readonly { name: string; annotate: string[]; expected: string[] }[] = [
  { name: "all members of the key by default", annotate: [], expected: ["pid", "port"] },
  {
    name: "only the named ones once one is named",
    annotate: ["t.port:metrics.type=key"],
    expected: ["port"],
  },
  {
    name: "not those that say none",
    annotate: ["t.port:metrics.type=none"],
    expected: ["pid"],
  },
  {
    name: "not hidden ones",
    annotate: ["t.pid:columns.hidden=true"],
    expected: ["port"],
  },
  {
    name: "the CPU too if per-CPU values are told apart",
    annotate: ["t:ebpf.map.percpu=label"],
    expected: ["pid", "port", "cpu"],
  },
];

for (const { name, annotate, expected } of LABELS) {
  Deno.test(`labels of a map: ${name}`, () => {
    const roles = metricRoles(sourceOf(annotate));
    assertEquals(roles.keys.map(({ label }) => label), expected);
  });
}

Deno.test("the CPU lies behind the padded key", () => {
  const source = sourceOf(["t:ebpf.map.percpu=label"]);
  const cpu = source.fields.find(({ name }) => name === "cpu");
  assertEquals([cpu?.segment, cpu?.offsetBytes, source.recordSizeBytes], [0, 8, 12]);
});

Deno.test("a map with one value per key has no CPU", () => {
  const source = sourceOf(["t:ebpf.map.percpu=label"], 1);
  assertEquals(source.fields.map(({ name }) => name), ["pid", "port", "bytes"]);
});
