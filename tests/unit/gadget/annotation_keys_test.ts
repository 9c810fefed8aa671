// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../src/errors.ts";
import { parseAnnotate } from "../../../src/gadget/mod.ts";
import { checkAnnotation } from "../../../src/gadget/annotation_keys.ts";

/** Checks one annotation, written without commas to escape. */
function check(annotation: string) {
  const [entry] = parseAnnotate([annotation.replaceAll(",", String.raw`\,`)]);
  return checkAnnotation(entry);
}

const ACCEPTED: [annotation: string, value: string][] = [
  ["e:metrics.collect=true", "true"],
  ["e:metrics.collect= True", "true"],
  ["e:metrics.print=FALSE", "false"],
  ["e:metrics.implicit-counter.name=execs", "execs"],
  ["e:metrics.ttl=1h30m", "1h30m"],
  ["e:metrics.limit=500", "500"],
  ["e:metrics.limit=16777215", "16777215"],
  ["e:ebpf.map.percpu=label", "label"],
  ["e:ebpf.map.read=drain", "drain"],
  ["e:ebpf.map.flush-on-stop=true", "true"],
  ["e:fetch-interval=500ms", "500ms"],
  ["e:env.fields.node=NODE_NAME", "NODE_NAME"],
  ["e:views.anything=x", "x"],
  ["e.f:metrics.type=key", "key"],
  ["e.f:metrics.type=None", "none"],
  ["e.f:metrics.boundaries=1, 2.5,  1e3", "1, 2.5,  1e3"],
  ["e.f:metrics.boundaries=-5,0", "-5,0"],
  ["e.f:metrics.boundaries=schema 8 from 0.5 to 1", "schema 8 from 0.5 to 1"],
  ["e.f:ebpf.map.percpu=max", "max"],
  ["e.f:columns.width=type", "type"],
  ["e.f:columns.width=12", "12"],
  ["e.f:template=pid", "pid"],
  ["e.f:template=MNTNS_ID", "mntns_id"],
  ["e.f:formatters.timestamp.format=15:04", "15:04"],
];
for (const [annotation, value] of ACCEPTED) {
  Deno.test(`accepted: ${annotation}`, () => assertEquals(check(annotation), { value }));
}

const REFUSED: { annotation: string; message: string; hint?: string }[] = [
  {
    annotation: "events:matrics.implicit-counter.description=number of events",
    message: "Unknown annotation in " +
      '--annotate "events:matrics.implicit-counter.description=number of events": ' +
      '"matrics.implicit-counter.description"',
    hint: 'did you mean "metrics.implicit-counter.description"?',
  },
  {
    annotation: "e:metrics.colect=true",
    message: 'Unknown annotation in --annotate "e:metrics.colect=true": "metrics.colect"',
    hint: 'did you mean "metrics.collect"?',
  },
  {
    annotation: "e:fetch-intervall=1s",
    message: 'Unknown annotation in --annotate "e:fetch-intervall=1s": "fetch-intervall"',
    hint: 'did you mean "fetch-interval"?',
  },
  {
    annotation: "e.f:json.frobnicate=1",
    message: 'Unknown annotation in --annotate "e.f:json.frobnicate=1": "json.frobnicate"',
    hint: '"json." keys of a field: json.skip',
  },
  {
    annotation: "e:metrics.limit=16777216",
    message: 'Wrong value in --annotate "e:metrics.limit=16777216": ' +
      '"metrics.limit" takes a number from 1 up to 16777215, got "16777216"',
    hint: "the README lists the annotations and what they take",
  },
  {
    annotation: "e:metrics.type=counter",
    message: 'Misplaced annotation in --annotate "e:metrics.type=counter": ' +
      '"metrics.type" belongs to a field, not to data source "e"',
    hint: "write e.FIELD:metrics.type=counter",
  },
  {
    annotation: "e.f:metrics.collect=true",
    message: 'Misplaced annotation in --annotate "e.f:metrics.collect=true": ' +
      '"metrics.collect" belongs to a data source, not to field "e.f"',
    hint: "write e:metrics.collect=true",
  },
  {
    annotation: "e.f:metrics.type=couter",
    message: 'Wrong value in --annotate "e.f:metrics.type=couter": "metrics.type" takes ' +
      '"key" or "counter" or "gauge" or "histogram" or "none", got "couter"',
    hint: 'did you mean "counter"? values: "key", "counter", "gauge", "histogram", "none"',
  },
  {
    annotation: "e:metrics.collect=yes",
    message: 'Wrong value in --annotate "e:metrics.collect=yes": "metrics.collect" takes ' +
      '"true" or "false", got "yes"',
    hint: 'values: "true", "false"',
  },
  {
    annotation: "e.f:ebpf.map.percpu=label",
    message: 'Wrong value in --annotate "e.f:ebpf.map.percpu=label": "ebpf.map.percpu" takes ' +
      '"sum" or "max" or "min" or "avg", got "label"',
    hint: 'values: "sum", "max", "min", "avg"',
  },
  {
    annotation: "e:metrics.ttl=5",
    message: 'Wrong value in --annotate "e:metrics.ttl=5": "metrics.ttl" takes ' +
      'a duration like 500ms, 10s or 1h30m, got "5"',
    hint: "the README lists the annotations and what they take",
  },
  {
    annotation: "e.f:metrics.boundaries=1,3,2",
    message: String
      .raw`Wrong value in --annotate "e.f:metrics.boundaries=1,3,2": "metrics.boundaries" takes ascending numbers like "1, 2.5, 10", or "schema 2 from 1 to 1000000", got "1,3,2"`,
    hint: "2 does not exceed the 3 before it",
  },
  {
    annotation: "e.f:metrics.boundaries=1,Infinity",
    message: String
      .raw`Wrong value in --annotate "e.f:metrics.boundaries=1,Infinity": "metrics.boundaries" takes ascending numbers like "1, 2.5, 10", or "schema 2 from 1 to 1000000", got "1,Infinity"`,
    hint: '"Infinity" is not a finite number',
  },
  {
    annotation: "e.f:metrics.boundaries=1,,2",
    message: String
      .raw`Wrong value in --annotate "e.f:metrics.boundaries=1,,2": "metrics.boundaries" takes ascending numbers like "1, 2.5, 10", or "schema 2 from 1 to 1000000", got "1,,2"`,
    hint: '"" is not a finite number',
  },
  {
    annotation: "e.f:metrics.boundaries=schema 9 from 1 to 2",
    message: String
      .raw`Wrong value in --annotate "e.f:metrics.boundaries=schema 9 from 1 to 2": "metrics.boundaries" takes ascending numbers like "1, 2.5, 10", or "schema 2 from 1 to 1000000", got "schema 9 from 1 to 2"`,
    hint: '"schema 9 from 1 to 2" is not a finite number',
  },
  {
    annotation: "e.f:metrics.boundaries=schema 2 from 0 to 2",
    message: String
      .raw`Wrong value in --annotate "e.f:metrics.boundaries=schema 2 from 0 to 2": "metrics.boundaries" takes buckets between two finite numbers above zero, got "schema 2 from 0 to 2"`,
    hint: 'write the smaller one first: "schema 2 from 1 to 1000000"',
  },
  {
    annotation: "e.f:metrics.boundaries=schema 8 from 1 to 4.1",
    message: String
      .raw`Wrong value in --annotate "e.f:metrics.boundaries=schema 8 from 1 to 4.1": "metrics.boundaries" takes at most 512 buckets, not 523, got "schema 8 from 1 to 4.1"`,
    hint: "take a smaller schema, or a narrower range",
  },
];
for (const { annotation, message, hint } of REFUSED) {
  Deno.test(`refused: ${annotation}`, () => {
    const error = assertThrows(() => check(annotation), UsageError);
    assertEquals({ message: error.message, hint: error.hint }, { message, hint });
  });
}

Deno.test("a misspelt template gets the nearest one", () => {
  const error = assertThrows(() => check("e.f:template=timestmap"), UsageError);
  assertEquals(error.hint?.split("?")[0], 'did you mean "timestamp"');
});

for (const key of ["otherop.level", "acme.metrics.type", "tags.name"]) {
  Deno.test(`a key of another tool, ${key}: a warning in a file, an error on the command line`, () => {
    const place = { kind: "file" as const, describe: () => "gadget.yaml:3" };
    assertEquals(checkAnnotation({ dataSource: "e", key, value: "x", place }), {
      value: "x",
      warning: `gadget.yaml:3: kmeter does not know the annotation "${key}"`,
    });
    assertThrows(
      () => check(`e:${key}=x`),
      UsageError,
      `Unknown annotation in --annotate "e:${key}=x"`,
    );
  });
}
