import { joinChunks, orderChunks } from "../../../scripts/compile/chunks.ts";
// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";

/** Runs chunks as the packed program does. @returns what they put on `globalThis.told`. */
async function run(files: Readonly<Record<string, string>>): Promise<unknown[]> {
  const chunks = orderChunks(new Map(Object.entries(files)), "main.js");
  const { code, loader } = joinChunks(chunks, { file: "the.code" });
  const folder = Deno.makeTempDirSync();
  const told: unknown[] = [];
  Object.assign(globalThis, { told });
  try {
    const readPacked = "const readPacked = (file, offset, size) =>\n" +
      "  Deno.readFileSync(file).slice(offset, offset + size);\n";
    Deno.writeTextFileSync(`${folder}/the.code`, code);
    Deno.writeTextFileSync(`${folder}/the.mjs`, readPacked + loader);
    await import(`file://${folder}/the.mjs`);
    return told;
  } finally {
    Deno.removeSync(folder, { recursive: true });
    Reflect.deleteProperty(globalThis, "told");
  }
}

Deno.test("a chunk runs once, when it is first asked for, and all share what it has", async () => {
  assertEquals(
    await run({
      "main.js": 'import {\n  a,\n  Fault as Fault2\n} from "./chunk-ABCDEFGH.js";\n' +
        'told.push("main", a);\n' +
        'const { other, default: last } = await import("./late-ABCDEFGH.js");\n' +
        'told.push(other() instanceof Fault2, last, await import("./late-ABCDEFGH.js") !== null);\n',
      "late-ABCDEFGH.js": 'import {\n  Fault\n} from "./chunk-ABCDEFGH.js";\n' +
        'told.push("late");\nvar first = () => new Fault();\nvar last = 2;\n' +
        "export {\n  last as default,\n  first as other\n};\n",
      "chunk-ABCDEFGH.js":
        'told.push("chunk");\nvar a = 1;\nvar Fault = class extends Error {};\n' +
        "export {\n  a,\n  Fault\n};\n",
    }),
    ["chunk", "main", 1, "late", true, 2, true],
  );
});

Deno.test("a fault of a chunk that is asked for later is a rejection, which names it", async () => {
  const [stack] = await run({
    "main.js": 'await import("./late-ABCDEFGH.js").catch((fault) => told.push(fault.stack));\n',
    "late-ABCDEFGH.js": 'throw new Error("no luck");\n',
  });
  assertEquals(/^Error: no luck\n.*\(late_1\.js/.test(String(stack)), true, String(stack));
});

Deno.test("chunks do the same as modules, in ASCII", async () => {
  const code = "// a → b\nconst text = `µ\\n` + '\u{1f41d}';\n" +
    "told.push(text, /^µ$/u.test('µ'), typeof require('fs'), typeof readPacked, import.meta.url);\n";
  const [{ body }] = orderChunks(new Map([["main.js", code]]), "main.js");
  assertEquals(/[^\0-\x7f]/.test(body), false);
  const [text, matches, builtin, packed, url] = await run({ "main.js": code });
  assertEquals([text, matches, builtin, packed], ["µ\n\u{1f41d}", true, "object", "function"]);
  assertEquals(/^file:.*\/the\.mjs$/.test(String(url)), true);
});

Deno.test("what would not work in a function is refused", () => {
  const refused = [
    ['import x from "node:x";\n', "imports or exports"],
    ["export var a;\n", "imports or exports"],
    ["String.raw`\n→`", "raw string"],
    ['import { a } from "./chunk-ABCDEFGH.js";\n', "did not write"],
    ["var a = ;\n", "main_0.js"],
    ["var a = 1;\na += 1;\nexport {\n  a as b\n};\n", "changes: a +="],
  ];
  for (const [code, reason] of refused) {
    assertThrows(() => orderChunks(new Map([["main.js", code]]), "main.js"), Error, reason);
  }
});
