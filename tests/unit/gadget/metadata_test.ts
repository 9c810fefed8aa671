// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "../../../src/errors.ts";
import { parseMetadata } from "../../../src/gadget/mod.ts";

/** Annotations as `subject:key=value`, the form of `--annotate`. */
function flatten(text: string): string[] {
  return parseMetadata(text).dataSources.flatMap((source) => [
    ...source.annotations.map((entry) => `${source.name}:${entry.key}=${entry.value}`),
    ...source.fields.flatMap((field) =>
      field.annotations.map((entry) => `${source.name}.${field.name}:${entry.key}=${entry.value}`)
    ),
  ]);
}

function messageAndHint(text: string): string[] {
  const error = assertThrows(() => parseMetadata(text), FormatError);
  return [error.message, ...error.hint === undefined ? [] : [error.hint]];
}

Deno.test("the empty section of the Adding Metrics page is legal", () => {
  const metadata = parseMetadata(`
datasources:
  events:
    fields:
      name:
      count:
`);
  assertEquals(metadata.dataSources.map(({ name, fields }) => [name, fields.map((f) => f.name)]), [
    ["events", ["name", "count"]],
  ]);
  assertEquals(metadata.warnings, []);
});

Deno.test("empty files and empty sections say nothing", () => {
  for (
    const text of [
      "",
      "# only a comment\n",
      "datasources:\n",
      "datasources: {}\nparams:\n  ebpf:\n",
    ]
  ) {
    const { dataSources, params, warnings } = parseMetadata(text);
    assertEquals([dataSources, params, warnings], [[], [], []], text);
  }
});

Deno.test("values become text, quoted or not, as they are spelt", () => {
  const spellings: [yaml: string, value: string][] = [
    ["true", "true"],
    ['"true"', "true"],
    ["'true'", "true"],
    ["8", "8"],
    ['"8"', "8"],
    ["1.10", "1.10"],
    ["18446744073709551615", "18446744073709551615"],
    ["0, 1, 2.5", "0, 1, 2.5"],
    ["", ""],
    ["number of events  # comment", "number of events"],
  ];
  for (const [yaml, value] of spellings) {
    const text = `datasources:\n  e:\n    annotations:\n      k: ${yaml}\n`;
    assertEquals(flatten(text), [`e:k=${value}`]);
  }
});

Deno.test("keys of the schema and of annotations ignore case, names keep it", () => {
  assertEquals(
    flatten(`
dataSources:
  Events:
    Annotations: {Metrics.Collect: true}
    FIELDS:
      proc.comm: {annotations: {metrics.TYPE: key}}
`),
    ["Events:metrics.collect=true", "Events.proc.comm:metrics.type=key"],
  );
});

Deno.test("anchors and merge keys work", () => {
  assertEquals(
    flatten(`
datasources:
  a:
    annotations: &shared {metrics.collect: true, metrics.ttl: 5s}
  b:
    annotations: {<<: *shared, metrics.ttl: 9s}
`),
    [
      "a:metrics.collect=true",
      "a:metrics.ttl=5s",
      "b:metrics.ttl=9s",
      "b:metrics.collect=true",
    ],
  );
});

Deno.test("params, programs, tags and texts are read", () => {
  const metadata = parseMetadata(`
name: trace exec
description: shows execs
homepageURL: https://example.org
datasources:
  exec:
    tags: [a, b]
    fields:
      comm: {tags: c}
params:
  ebpf:
    targ_pid: {key: pid, description: which, defaultValue: 0}
ebpfParams:
  old_one: {key: old}
paramDefaults:
  operator.oci.ebpf.map-fetch-interval: 5s
programs:
  on_exec: {attach_to: gadget_program_disabled}
  profiler: {perf: {type: software}, sampler: {frequency: 49}}
`);
  assertEquals(metadata.name, "trace exec");
  assertEquals(metadata.homepageUrl, "https://example.org");
  assertEquals(metadata.dataSources[0].tags, ["a", "b"]);
  assertEquals(metadata.dataSources[0].fields[0].tags, ["c"]);
  assertEquals(
    metadata.params.map(({ variable, key, defaultValue }) => [variable, key, defaultValue]),
    [["targ_pid", "pid", "0"], ["old_one", "old", undefined]],
  );
  assertEquals(metadata.paramDefaults, { "operator.oci.ebpf.map-fetch-interval": "5s" });
  assertEquals(metadata.programs, {
    on_exec: { attachTo: "gadget_program_disabled" },
    profiler: { sampleFrequencyHz: 49 },
  });
});

Deno.test("syntax errors name file, line and column", () => {
  assertEquals(
    messageAndHint("datasources:\n  exec:\n    fields:\n   comm:\n")[0],
    `Cannot read "gadget.yaml" line 4, column 4: not YAML: Cannot read block: bad indentation of a ` +
      "mapping entry\n       comm:\n       ^",
  );
  assertEquals(
    messageAndHint("a: [1\nb: 2\n")[0].split("\n")[0],
    'Cannot read "gadget.yaml" line 2, column 1: not YAML: Cannot read flow collection: missing comma between flow collection entries',
  );
});

/** `k0: VALUE, k1: VALUE, ...` */
function numbered(count: number, value: string): string {
  return Array.from({ length: count }, (_, index) => `k${index}: ${value}`).join(", ");
}

const STRUCTURE_ERRORS: { name: string; yaml: string; expected: string[] }[] = [
  {
    name: "a nested mapping where text is wanted",
    yaml:
      "datasources:\n  exec:\n    fields:\n      comm:\n        annotations:\n          metrics:\n            type: key\n",
    expected: [
      "Wrong value in gadget.yaml:6 (datasources.exec.fields.comm.annotations.metrics): " +
      'expected text, got a mapping with "type"',
      'write "metrics.type: ..." as one key, without nesting',
    ],
  },
  {
    name: "a list where text is wanted",
    yaml:
      "datasources:\n  e:\n    fields:\n      f:\n        annotations:\n          metrics.boundaries: [1, 2]\n",
    expected: [
      "Wrong value in gadget.yaml:6 (datasources.e.fields.f.annotations.metrics.boundaries): " +
      "expected text, got a list",
      'write the items as one text: "metrics.boundaries: 1,2,4"',
    ],
  },
  {
    name: "text where a section is wanted",
    yaml: "datasources:\n  exec: yes\n",
    expected: [
      'Wrong value in gadget.yaml:2 (datasources.exec): expected a mapping, got the text "yes"',
      'write a mapping under "exec:", or leave it empty',
    ],
  },
  {
    name: "a file that is one text",
    yaml: "hello\n",
    expected: [
      'Wrong value in gadget.yaml: expected a mapping, got the text "hello"',
      'the file begins with sections such as "name:" or "datasources:"',
    ],
  },
  {
    name: "a misspelt top-level key",
    yaml: "name: x\ndatasource:\n  exec:\n",
    expected: [
      'Unknown key in gadget.yaml:2 (datasource): "datasource"',
      'did you mean "datasources"? keys here: "name", "description", "homepageURL", ' +
      '"documentationURL", "sourceURL", "annotations", "datasources", "params", "ebpfParams", ' +
      '"paramDefaults", "programs", "operator", "wasm", "custom"',
    ],
  },
  {
    name: "a misspelt key of a data source",
    yaml: "datasources:\n  exec:\n    field:\n",
    expected: [
      'Unknown key in gadget.yaml:3 (datasources.exec.field): "field"',
      'did you mean "fields"? keys here: "tags", "annotations", "fields"',
    ],
  },
  {
    name: "an annotation without the annotations section",
    yaml: "datasources:\n  exec:\n    fields:\n      comm:\n        metrics.type: key\n",
    expected: [
      'Unknown key in gadget.yaml:5 (datasources.exec.fields.comm.metrics.type): "metrics.type"',
      'a field has "annotations:" and "tags:"; metrics.* and other annotations stand under ' +
      '"annotations:", members of structs are written with dots, as in "comm.member:"',
    ],
  },
  {
    name: "lost indentation, as when the page is copied from the web",
    yaml: "datasources:\nevents:\nfields:\nname:\ncount:\n",
    expected: [
      'Misplaced key in gadget.yaml:3 (fields): "fields" stands at the top of the file, but ' +
      "belongs to a data source",
      "check the indentation: datasources: / <name>: / fields: / <field>: / annotations:",
    ],
  },
  {
    name: "keys that differ only in case",
    yaml:
      "datasources:\n  e:\n    annotations:\n      metrics.collect: true\n      Metrics.Collect: false\n",
    expected: [
      "Duplicate key in gadget.yaml:5 (datasources.e.annotations.Metrics.Collect): " +
      '"Metrics.Collect" and "metrics.collect" differ only in case',
      "keep one of them: case does not count",
    ],
  },
  {
    name: "aliases of aliases, millions of values in a few lines",
    yaml: `custom: &c {${numbered(400, "x")}}\n` +
      `operator: {${numbered(400, "*c")}}\n`,
    expected: [
      'Cannot read "gadget.yaml": more than 100000 values in it',
      "aliases (*name) count each time: write out what is needed, and no more",
    ],
  },
  {
    name: "a sampling frequency that is none",
    yaml: "programs:\n  p:\n    sampler:\n      frequency: often\n",
    expected: [
      "Wrong value in gadget.yaml:4 (programs.p.sampler.frequency): expected samples per second " +
      'from 1 to 1000000, got "often"',
      "a usual one is 99",
    ],
  },
];
for (const { name, yaml, expected } of STRUCTURE_ERRORS) {
  Deno.test(`refused with its place: ${name}`, () => assertEquals(messageAndHint(yaml), expected));
}

Deno.test("what kmeter lacks is accepted with a warning", () => {
  const { warnings } = parseMetadata(`
vendorExtension: 1
operator:
  process: {emitstats: true}
params:
  wasm: {x: {key: x}}
  custom: {y: {description: z}}
`);
  assertEquals(warnings, [
    'gadget.yaml:2 (vendorExtension): unknown key "vendorExtension"; ignored',
    "gadget.yaml:6 (params.wasm.x): wasm parameters are not supported; ignored",
    "gadget.yaml:7 (params.custom.y): custom parameters are not supported; ignored",
    "gadget.yaml:4 (operator.process): kmeter has no built-in data sources; ignored",
  ]);
});

Deno.test("names that JavaScript objects have by nature are ordinary names", () => {
  const { dataSources } = parseMetadata(
    "datasources:\n  __proto__:\n    annotations: {constructor: a, __proto__: b}\n",
  );
  assertEquals(dataSources.map(({ name }) => name), ["__proto__"]);
  assertEquals(dataSources[0].annotations.map(({ key, value }) => [key, value]), [
    ["constructor", "a"],
    ["__proto__", "b"],
  ]);
});

Deno.test("a tab that indents is refused with its place", () => {
  assertThrows(
    () => parseMetadata("name: x\ndatasources:\n\tev:\n", "gadget.yaml"),
    FormatError,
    'Cannot read "gadget.yaml" line 3, column 1: a tab indents it',
  );
});
