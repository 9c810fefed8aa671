import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Mistakes, parseServeConfig } from "../../../src/config/mod.ts";
import { FormatError } from "../../../src/errors.ts";

const KEYS = {
  settings: ["listen", "metrics-prefix"],
  gadget: ["annotate", "filter", "strict"],
  exporter: ["endpoint", "headers", "collectKmeterMetrics"],
};
const parse = (text: string) => {
  const mistakes = new Mistakes("kmeter.yaml");
  const config = parseServeConfig(text, KEYS, mistakes);
  mistakes.refuse("");
  return config;
};

Deno.test("keys become flags: text, lists, and annotations as a mapping", () => {
  const { settings, gadgets, warnings } = parse(`
listen: 0.0.0.0:2224
gadgets:
  - trace_tcp
  - gadget: ./my/gadget/
    name: mine
    filter: [uid==0, comm==sh]
    strict: true
    params:
      pid: 12
    annotate:
      exec.uid:metrics.type: key
      exec.latency:metrics.boundaries: 1,2
`);
  assertEquals([...settings], [["listen", {
    text: "0.0.0.0:2224",
    place: "kmeter.yaml:2 (listen)",
  }]]);
  assertEquals(gadgets.map(({ name, gadget, args }) => ({ name, gadget, args })), [
    { name: "trace_tcp", gadget: "trace_tcp", args: [] },
    {
      name: "mine",
      gadget: "./my/gadget/",
      args: [
        "--filter=uid==0,comm==sh",
        "--strict=true",
        "--pid=12",
        "--annotate=exec.uid:metrics.type=key",
        String.raw`--annotate=exec.latency:metrics.boundaries=1\,2`,
      ],
    },
  ]);
  assertEquals(gadgets[1].place, "kmeter.yaml:5 (gadgets.1)");
  assertEquals(gadgets[1].places.get("pid"), "kmeter.yaml:10 (gadgets.1.params.pid)");
  assertEquals(warnings, []);
});

Deno.test("the name is the gadget's own, or that of its folder or object", () => {
  const { gadgets } = parse("gadgets: [trace_exec, ./a/b/, /x/program.bpf.o, y.o]");
  assertEquals(gadgets.map(({ name }) => name), ["trace_exec", "b", "program", "y"]);
});

const MISTAKES: [name: string, text: string, message: RegExp][] = [
  ["no YAML", "gadgets: [a\nlisten: {", /"kmeter\.yaml" line 2, column \d+: not YAML/],
  ["no YAML in the second document", "gadgets: [a]\n---\nx: [\n", /line \d+, column \d+: not YAML/],
  ["nothing", "listen: :1\n", /there is no gadget in it/],
  ["an empty file", "", /there is no gadget in it/],
  ["a list", "- trace_exec\n", /kmeter\.yaml: expected a mapping/],
  ["unknown key", "listn: x\ngadgets: [a]", /kmeter\.yaml:1 \(listn\): "listn"/],
  ["unknown key of a gadget", "gadgets:\n- gadget: a\n  fliter: b", /:3 \(gadgets\.0\.fliter\)/],
  ["no gadget", "gadgets:\n  - filter: b", /:2 \(gadgets\.0\): there is no "gadget"/],
  ["a nested value", "gadgets:\n  - gadget: a\n    filter: {a: b}", /:3 \(gadgets\.0\.filter\)/],
  ["an empty value", "listen:\ngadgets: [a]", /:1 \(listen\): "listen" is empty/],
  ["a bad name", "gadgets:\n  - gadget: a\n    name: b c", /:3 \(gadgets\.0\.name\): "b c"/],
  ["the same name twice", "gadgets:\n  - a\n  - gadget: a", /:3 \(gadgets\.1\): "a" names another/],
  ["a setting twice", "listen: a\ngadgets: [a]\n---\nlisten: b", /:4 \(listen\): another document/],
  [
    "an unknown key of an exporter",
    "exporters:\n  a:\n    url: b\ngadgets: [a]",
    /:3 \(exporters\.a\.url\)/,
  ],
  [
    "an exporter as text",
    "exporters:\n  a: b\ngadgets: [a]",
    /:2 \(exporters\.a\): expected a map/,
  ],
  [
    "an exporter without a name",
    "exporters: {a b: {}}\ngadgets: [a]",
    /"a b" cannot name an exporter/,
  ],
  ["an exporter called none", "exporters: {none: {}}\ngadgets: [a]", /"none" cannot name an/],
  ["an empty key of an exporter", "exporters: {a: {endpoint: }}\ngadgets: [a]", /is empty/],
  ["headers as a list", "exporters: {a: {headers: [b=c]}}\ngadgets: [a]", /expected a mapping/],
  [
    "the same exporter twice",
    "exporters: {a: {}}\noperator: {otel-metrics: {exporters: {a: {}}}}\ngadgets: [a]",
    /:2 \(operator\.otel-metrics\.exporters\.a\): "a" names another exporter too/,
  ],
  [
    "another key of ig's config",
    "operator: {otel-metrics: {otel-metrics-listen: true}}\ngadgets: [a]",
    /:1 \(operator\.otel-metrics\.otel-metrics-listen\): "otel-metrics-listen"/,
  ],
  ["operators as text", "operators: a.js\ngadgets: [a]", /:1 \(operators\): expected a list/],
  [
    "an operator that is none",
    "operators:\n  - {a-b: c}\ngadgets: [a]",
    /:2 \(operators\.0\): there is no "operator"/,
  ],
  [
    "an empty param",
    "operators:\n  - operator: a.js\n    a-b:\ngadgets: [a]",
    /:3 \(operators\.0\.a-b\): "a-b" is empty/,
  ],
  ["gadgets as text", "gadgets: trace_exec", /:1 \(gadgets\): expected a list/],
  [
    "a kind that is not known",
    "kind: pod\nimage: a",
    /:1 \(kind\): expected instance-spec, got pod/,
  ],
  ["an image without version", "kind: instance-spec\nimage: a", /expected 1, got nothing/],
];
for (const [name, text, message] of MISTAKES) {
  Deno.test(`refused, with its place: ${name}`, () => {
    assertThrows(() => parse(text), FormatError, undefined, name);
    try {
      parse(text);
    } catch (error) {
      if (!(error instanceof FormatError) || !message.test(error.message)) throw error;
    }
  });
}

Deno.test("exporters, in kmeter's form and in ig's", () => {
  const { exporters, warnings } = parse(`
gadgets: [a]
exporters:
  otlp:
  main:
    endpoint: http://c:4318
    headers: {authorization: "Bearer a, b=c%", x-two: é}
---
operator:
  otel-metrics:
    exporters:
      igs:
        headers: a=%2C
        collectGoMetrics: true
        collectIGMetrics: false
`);
  assertEquals(
    exporters.map(({ name, place, settings }) => [
      name,
      place,
      Object.fromEntries([...settings].map(([key, { text }]) => [key, text])),
    ]),
    [
      ["otlp", "kmeter.yaml:4 (exporters.otlp)", {}],
      ["main", "kmeter.yaml:5 (exporters.main)", {
        endpoint: "http://c:4318",
        headers: "authorization=Bearer%20a%2C%20b%3Dc%25,x-two=%C3%A9",
      }],
      ["igs", "kmeter.yaml:12 (operator.otel-metrics.exporters.igs)", {
        headers: "a=%2C",
        collectKmeterMetrics: "false",
      }],
    ],
  );
  const place = "kmeter.yaml:6 (exporters.main.endpoint)";
  assertEquals(exporters[1].settings.get("endpoint")?.place, place);
  assertEquals(warnings.length, 1);
  assertMatch(warnings[0], /\.collectGoMetrics\) has no effect/);
});

Deno.test("operators are texts, or texts with params", () => {
  const text = "operators: ['exec:wc -l', {operator: a.js, a-b: 1}]\ngadgets: [c]";
  const { operators } = parse(text);
  const place = "kmeter.yaml:1 (operators.1.a-b)";
  assertEquals(operators.map(({ text, params }) => [text, [...params]]), [
    ["exec:wc -l", []],
    ["a.js", [["a-b", { text: "1", place }]]],
  ]);
});

Deno.test("an error of YAML names the place, and shows no line that may hold a secret", () => {
  for (const text of ['headers: "s3cr\\qet"\n', "headers: {a: s3cret\ngadgets: [a]\n"]) {
    const { message } = assertThrows(() => parse(text), FormatError);
    assertMatch(message, /line \d+, column \d+: not YAML: /);
    assertEquals(/s3cr/.test(message), false, message);
  }
});

Deno.test("all mistakes are told at once", () => {
  const error = assertThrows(
    () => parse("listn: 1\ngadgets:\n  - filter: a\n  - gadget: b\n    nane: c\n"),
    FormatError,
  );
  assertEquals(error.message.split("\n").length, 4, error.message);
});

Deno.test("Inspektor Gadget's documents", () => {
  const { gadgets, warnings } = parse(`
apiVersion: 1
kind: instance-spec
image: ghcr.io/inspektor-gadget/gadget/trace_exec:v0.40.0
name: execs
tags: [a]
paramValues:
  operator.oci.ebpf.paths: true
  operator.filter.filter: uid==0
  operator.oci.annotate: exec:metrics.collect=true
  operator.cli.output: json
---
apiVersion: 1
kind: instance-spec
image: trace_tcp
`);
  assertEquals(gadgets.map(({ name, gadget, args }) => ({ name, gadget, args })), [
    {
      name: "execs",
      gadget: "trace_exec",
      args: ["--paths=true", "--filter=uid==0", "--annotate=exec:metrics.collect=true"],
    },
    { name: "trace_tcp", gadget: "trace_tcp", args: [] },
  ]);
  assertEquals(warnings.length, 2);
  assertThrows(
    () =>
      parse(
        "apiVersion: 1\nkind: instance-spec\nimage: a\nparamValues:\n" +
          "  operator.LocalManager.containername: web\n",
      ),
    FormatError,
    "knows no containers",
  );
});
