// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  describeFlags,
  type Flag,
  parseFlags,
  refuseArguments,
  refuseUnknownFlags,
} from "../../../src/cli/flags.ts";
import { RUN_FLAGS } from "../../../src/cli/run_flags.ts";
import { UsageError } from "../../../src/errors.ts";

const FLAGS: readonly Flag[] = [
  { name: "metrics", description: "a switch" },
  { name: "output", short: "o", value: "MODE", description: "a value" },
  { name: "filter", short: "F", value: "EXPR", description: "a value" },
  { name: "max-entries", value: "N", description: "a number" },
  { name: "annotate", value: "LIST", repeats: true, description: "many values" },
];

interface Expected {
  readonly positionals?: readonly string[];
  readonly metrics?: boolean;
  readonly output?: string;
  readonly filter?: string;
  readonly "max-entries"?: string;
  readonly annotate?: readonly string[];
  readonly unknown?: Readonly<Record<string, string>>;
}

const PARSED: readonly [readonly string[], Expected][] = [
  [[], {}],
  [["gadget"], { positionals: ["gadget"] }],
  [["007"], { positionals: ["007"] }],
  [["gadget", "--metrics"], { positionals: ["gadget"], metrics: true }],
  [["--metrics", "gadget"], { positionals: ["gadget"], metrics: true }],
  [["--metrics=false"], {}],
  [["--output", "json"], { output: "json" }],
  [["--output=json"], { output: "json" }],
  [["-o", "json"], { output: "json" }],
  [["-o=json"], { output: "json" }],
  [["-ojson"], { output: "json" }],
  [["-Fpid==1"], { filter: "pid==1" }],
  [["--", "-ojson"], { positionals: ["-ojson"] }],
  [["--output", "json", "-o", "none"], { output: "none" }],
  [["--filter", "pid==1"], { filter: "pid==1" }],
  [["--filter=pid==1"], { filter: "pid==1" }],
  [["-F", "comm~^a=b,x!=-1"], { filter: "comm~^a=b,x!=-1" }],
  [["--max-entries", "-1"], { "max-entries": "-1" }],
  [["--max-entries=-1"], { "max-entries": "-1" }],
  [["--max-entries", "0x10"], { "max-entries": "0x10" }],
  [["--filter", "-x==1", "--metrics"], { filter: "-x==1", metrics: true }],
  [["--annotate", "a:b=c", "--annotate=d:e=f,g:h=i"], { annotate: ["a:b=c", "d:e=f,g:h=i"] }],
  [["--", "--metrics"], { positionals: ["--metrics"] }],
  [["--pid", "7", "g"], { positionals: ["g"], unknown: { pid: "7" } }],
  [["--pid=-7"], { unknown: { pid: "-7" } }],
  [["--all"], { unknown: { all: "true" } }],
  [["--a.b", "1"], { unknown: { "a.b": "1" } }],
];
for (const [args, expected] of PARSED) {
  Deno.test(`flags of ${JSON.stringify(args)}`, () => {
    const parsed = parseFlags(args, FLAGS);
    assertEquals({
      positionals: parsed.positionals,
      metrics: parsed.has("metrics"),
      output: parsed.text("output"),
      filter: parsed.text("filter"),
      "max-entries": parsed.text("max-entries"),
      annotate: parsed.texts("annotate"),
      unknown: parsed.unknown,
    }, {
      positionals: [],
      metrics: false,
      output: undefined,
      filter: undefined,
      "max-entries": undefined,
      annotate: [],
      unknown: {},
      ...expected,
    });
  });
}

const WITHOUT_VALUE: readonly [readonly string[], string][] = [
  [["--output"], "--output"],
  [["-o"], "--output"],
  [["--output="], "--output"],
  [["--output", ""], "--output"],
  [["--output", "--metrics"], "--output"],
  [["--filter", "-o", "json"], "--filter"],
  [["--annotate", "a:b=c", "--annotate"], "--annotate"],
];
for (const [args, flag] of WITHOUT_VALUE) {
  Deno.test(`a missing value is told: ${JSON.stringify(args)}`, () => {
    const error = assertThrows(() => parseFlags(args, FLAGS), UsageError);
    assertEquals(error.message, `${flag} needs a value`);
    assertStringIncludes(error.hint ?? "", flag);
  });
}

const UNKNOWN: readonly [readonly string[], string, string][] = [
  [["--metric"], "There is no flag --metric", "metrics"],
  [["--Metrics"], "There is no flag --Metrics", "metrics"],
  [["--max-entrys=5"], "There is no flag --max-entrys", "max-entries"],
  [["--anotate", "a:b=c"], "There is no flag --anotate", "annotate"],
  [["-x"], "There is no flag -x", "metrics"],
  [["--no-metrics"], "There is no flag --no-metrics", "metrics"],
];
for (const [args, message, suggested] of UNKNOWN) {
  Deno.test(`an unknown flag is refused with a suggestion: ${args.join(" ")}`, () => {
    const parsed = parseFlags(args, FLAGS);
    const error = assertThrows(() => refuseUnknownFlags(parsed, FLAGS), UsageError);
    assertEquals(error.message, message);
    assertStringIncludes(error.hint ?? "", suggested);
  });
}

Deno.test("known flags are not refused, and neither are no arguments", () => {
  const parsed = parseFlags(["--metrics", "-o", "json"], FLAGS);
  refuseUnknownFlags(parsed, FLAGS);
  refuseArguments(parsed, "list");
});

Deno.test("arguments of a command that takes none are refused by name", () => {
  const parsed = parseFlags(["extra", "more"], FLAGS);
  assertThrows(() => refuseArguments(parsed, "list"), UsageError, "list takes no arguments");
});

Deno.test("help has every flag with its value, and lines that fit", () => {
  const help = describeFlags(RUN_FLAGS);
  for (const { name, short, value, description } of RUN_FLAGS) {
    const left = `${short === undefined ? "" : `-${short}, `}--${name}${value ? ` ${value}` : ""}`;
    assertStringIncludes(help, left);
    assertStringIncludes(help, description);
  }
  const long = help.split("\n").filter((line) => line.length > 130);
  assertEquals(long, []);
});

Deno.test("no two flags of run share a name or a letter", () => {
  const names = RUN_FLAGS.flatMap(({ name, short }) =>
    short === undefined ? [name] : [name, short]
  );
  assertEquals(new Set(names).size, names.length);
  assert(names.every((name) => /^[A-Za-z0-9.-]+$/.test(name)));
});

Deno.test("a flag may have dots in its name", () => {
  const flags = [{ name: "a.b.c", value: "FILE", description: "" }, {
    name: "a.b.d",
    value: "LIST",
    repeats: true,
    description: "",
  }] as const;
  for (const args of [["--a.b.c", "x", "y"], ["--a.b.c=x", "y"]]) {
    const parsed = parseFlags(args, flags);
    assertEquals([parsed.text("a.b.c"), parsed.positionals, parsed.unknown], ["x", ["y"], {}]);
  }
  const none = parseFlags(["--a.b=x"], flags);
  assertEquals([none.text("a.b.c"), none.texts("a.b.d"), none.unknown], [undefined, [], {
    "a.b": "x",
  }]);
  assertEquals(parseFlags(["--a.b.d=x", "--a.b.d=y"], flags).texts("a.b.d"), ["x", "y"]);
  assertThrows(() => parseFlags(["--a.b.c"], flags), UsageError, "--a.b.c needs a value");
});

Deno.test("a switch takes true or false, and knows whether it was given", () => {
  assertThrows(() => parseFlags(["--metrics=maybe"], FLAGS), UsageError, "--metrics is a switch");
  const values = [[], ["--metrics"], ["--metrics=true"], ["--metrics=false"]]
    .map((args) => parseFlags(args, FLAGS).switchValue("metrics"));
  assertEquals(values, [undefined, true, true, false]);
});
