// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { checkLayers } from "../../../scripts/check_layers.ts";

// Joined, so that this file does not break the rules that it tests.
const ANY = "a" + "ny";
const EXPORT_DEFAULT = "export " + "default";
const OPEN_END = "TO" + "DO";

function check(files: Record<string, string>): string[] {
  return checkLayers(new Map(Object.entries(files)))
    .map(({ path, line, message }) => `${path}:${line}: ${message}`);
}

interface Case {
  readonly name: string;
  readonly path: string;
  readonly source: string;
  /** What the only problem starts with, after the path. */
  readonly fault?: string;
}

const IMPORT_CASES: readonly Case[] = [
  {
    name: "a later layer may import the door of an earlier one",
    path: "src/metrics/plan.ts",
    source: 'import { Field } from "../decode/mod.ts";',
  },
  {
    name: "an earlier layer must not import a later one",
    path: "src/btf/parse.ts",
    source: '\nimport { Field } from "../decode/mod.ts";',
    fault: ':2: "../decode/mod.ts" points up: btf comes before decode',
  },
  {
    name: "another layer's file behind its door is out of reach",
    path: "src/engine/run.ts",
    source: 'import { Field } from "../decode/field.ts";',
    fault: ':1: "../decode/field.ts" goes around the door: import from src/decode/mod.ts',
  },
  {
    name: "a layer imports its own files directly",
    path: "src/decode/codegen.ts",
    source: 'import { Field } from "./field.ts";\nimport { x } from "./deep/_x.ts";',
    fault: ':2: "./deep/_x.ts" is private to src/decode/deep/',
  },
  {
    name: "errors is a file without a door",
    path: "ffi/libc.ts",
    source: 'import { KernelError } from "../src/errors.ts";',
  },
  {
    name: "a pure layer must not import an impure one that comes before it",
    path: "src/btf/read.ts",
    source: 'import { Elf } from "../../ffi/mod.ts";',
    fault: ':1: "../../ffi/mod.ts" makes btf impure: ffi/mod.ts',
  },
  {
    name: "a test may import behind the door",
    path: "tests/unit/decode/codegen_test.ts",
    source: 'import { Field } from "../../../src/decode/field.ts";',
  },
  {
    name: "a test must not import a private file",
    path: "tests/unit/decode/codegen_test.ts",
    source: 'import { x } from "../../../src/decode/_x.ts";',
    fault: ':1: "../../../src/decode/_x.ts" is private to src/decode/',
  },
  {
    name: "a private file serves the folders inside its own",
    path: "tests/kernel/maps/hash_test.ts",
    source: 'import { run } from "../_run.ts";',
  },
  {
    name: "kmeter must not need its tests",
    path: "src/cli/run.ts",
    source: 'import { x } from "../../tests/x.ts";',
    fault: ':1: "../../tests/x.ts" is no part of kmeter: cli must not need it',
  },
  {
    name: "an import over several lines is seen, at the line of its specifier",
    path: "src/btf/parse.ts",
    source: 'import {\n  type A,\n  B,\n} from "../view/mod.ts";',
    fault: ':4: "../view/mod.ts" points up',
  },
  {
    name: "a re-export is an import",
    path: "src/btf/mod.ts",
    source: 'export { a } from "../cli/mod.ts";',
    fault: ':1: "../cli/mod.ts" points up',
  },
  {
    name: "a type import is an import",
    path: "src/btf/mod.ts",
    source: 'import type { a } from "../cli/mod.ts";',
    fault: ':1: "../cli/mod.ts" points up',
  },
  {
    name: "a dynamic import is an import",
    path: "src/btf/mod.ts",
    source: 'const cli = await import("../cli/mod.ts");',
    fault: ':1: "../cli/mod.ts" points up',
  },
  {
    name: "an import for its effect is an import",
    path: "src/btf/mod.ts",
    source: 'import "../cli/mod.ts";',
    fault: ':1: "../cli/mod.ts" points up',
  },
  {
    name: "an import in a comment or in a text is none",
    path: "src/btf/mod.ts",
    source:
      '// import "../cli/a.ts";\nconst a = `import "../cli/b.ts"`;\n/* import "../cli/c.ts" */',
  },
  {
    name: "a package is nobody's layer",
    path: "src/btf/mod.ts",
    source: 'import { parse } from "@std/yaml";',
  },
  {
    name: "an export before an unrelated text is not an import",
    path: "src/btf/mod.ts",
    source: 'export const from = 1;\nexport const a = "../cli/a.ts";',
  },
];

const RULE_CASES: readonly Case[] = [
  {
    name: "a pure layer must not touch Deno",
    path: "src/view/columns.ts",
    source: "const size = Deno.consoleSize();",
    fault: ":1: `Deno.` in a pure layer",
  },
  {
    name: "an impure layer may touch Deno",
    path: "src/enrich/users.ts",
    source: 'const users = Deno.readTextFileSync("/etc/passwd");',
  },
  {
    name: "a pure layer must not read a clock",
    path: "src/metrics/store.ts",
    source: "\n\nconst now = Date.now();",
    fault: ":3: a clock, timer or random source in a pure layer",
  },
  {
    name: "a pure layer may turn a given time into a date",
    path: "src/view/time.ts",
    source: "const date = new Date(epochMs);",
  },
  {
    name: "native memory stays in ffi",
    path: "src/sources/ring.ts",
    source: "const view = new Deno.UnsafePointerView(pointer);",
    fault: ":1: native memory outside ffi/",
  },
  {
    name: "ffi may use native memory",
    path: "ffi/libc.ts",
    source: "const libc = Deno.dlopen(path, symbols);",
  },
  {
    name: "a test may use native memory",
    path: "tests/kernel/ring_test.ts",
    source: "const libc = Deno.dlopen(path, symbols);",
  },
  {
    name: "only cli prints",
    path: "src/engine/run.ts",
    source: 'console.error("x");',
    fault: ":1: `console` outside src/cli",
  },
  { name: "cli prints", path: "src/cli/run.ts", source: 'console.error("x");' },
  {
    name: "the type that switches checks off is refused",
    path: "src/cli/run.ts",
    source: `let x: ${ANY} = 1;`,
    fault: ":1: `any`",
  },
  {
    name: "the type that switches checks off is refused in a cast",
    path: "tests/unit/x_test.ts",
    source: `f(x as ${ANY});`,
    fault: ":1: `any`",
  },
  {
    name: "a method, a property and a word in a text are not that type",
    path: "src/cli/run.ts",
    source: 'AbortSignal.any([]);\nconst a = { any: "any" };\nconst re = /any "/; // any',
  },
  {
    name: "code inside a template text is code",
    path: "src/cli/run.ts",
    source: `const a = \`\${{ a: 1 }} any \${x as ${ANY}}\`;`,
    fault: ":1: `any`",
  },
  {
    name: "default exports are refused",
    path: "src/cli/run.ts",
    source: `${EXPORT_DEFAULT} 1;`,
    fault: ":1: a default export",
  },
  {
    name: "a door lists its names",
    path: "src/btf/mod.ts",
    source: 'export * from "./types.ts";',
    fault: ":1: `export *`",
  },
  {
    name: "inheritance is refused",
    path: "src/cli/run.ts",
    source: "class A extends Base {}",
    fault: ":1: inheritance other than from Error",
  },
  { name: "errors inherit", path: "src/errors.ts", source: "class A extends Error {}" },
  {
    name: "open ends are refused",
    path: "src/cli/run.ts",
    source: `// ${OPEN_END}: later`,
    fault: ":1: an open end",
  },
  {
    name: "names without meaning are refused",
    path: "src/cli/utils.ts",
    source: "",
    fault: ":1: the name says nothing",
  },
  {
    name: "a file of 500 lines is long enough",
    path: "src/cli/run.ts",
    source: "x();\n".repeat(500),
  },
  {
    name: "a file of 501 lines is too long",
    path: "src/cli/run.ts",
    source: "x();\n".repeat(501),
    fault: ":1: 501 lines, at most 500",
  },
  {
    name: "a test may have 800 lines",
    path: "tests/unit/x_test.ts",
    source: "x();\n".repeat(801),
    fault: ":1: 801 lines, at most 800",
  },
  {
    name: "a generated table may have more lines",
    path: "src/enrich/_table.ts",
    source: "// Generated by scripts/gen.ts\n" + "x();\n".repeat(600),
  },
  {
    name: "a file outside every layer is refused",
    path: "src/extra/x.ts",
    source: "",
    fault: ":1: belongs to no layer",
  },
];

for (const { name, path, source, fault } of [...IMPORT_CASES, ...RULE_CASES]) {
  Deno.test(`check_layers: ${name}`, () => {
    const problems = check({ [path]: source });
    const expected = fault === undefined ? [] : [path + fault];
    assertEquals(problems.map((problem, i) => problem.slice(0, expected[i]?.length)), expected);
  });
}

Deno.test("check_layers: a cycle is reported once, with its way", () => {
  const problems = check({
    "src/btf/a.ts": 'import "./b.ts";',
    "src/btf/b.ts": 'import "./c.ts";',
    "src/btf/c.ts": '\nimport "./a.ts";',
    "src/btf/d.ts": 'import "./a.ts";',
  });
  assertEquals(problems, [
    "src/btf/c.ts:2: closes a cycle: src/btf/a.ts → src/btf/b.ts → src/btf/c.ts → src/btf/a.ts",
  ]);
});

Deno.test("check_layers: a pure layer must not reach ffi through another layer", () => {
  const problems = check({
    "src/view/columns.ts": 'import "./text.ts";\nimport "../enrich/mod.ts";',
    "src/view/text.ts": 'import "../decode/mod.ts";',
    "src/decode/mod.ts": "",
    "src/enrich/mod.ts": 'import "./users.ts";',
    "src/enrich/users.ts": 'import "../../ffi/mod.ts";',
  });
  assertEquals(problems, [
    'src/view/columns.ts:2: "../enrich/mod.ts" makes view impure: ' +
    "src/enrich/mod.ts → src/enrich/users.ts → ffi/mod.ts",
  ]);
});

Deno.test("check_layers: two ways to the same file are no cycle", () => {
  const problems = check({
    "src/btf/a.ts": 'import "./b.ts";\nimport "./c.ts";',
    "src/btf/b.ts": 'import "./c.ts";',
    "src/btf/c.ts": "",
  });
  assertEquals(problems, []);
});
