// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { loadModule } from "../../../src/operators/load_module.ts";

const urlOf = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`;
const operator = (members: string) =>
  urlOf(`export default { name: "a", priority: 1, instantiate() {}, ${members} }`);

const REFUSED: readonly (readonly [string, string, string])[] = [
  ["no default export", urlOf("export const a = 1"), "its default export is no operator"],
  ["a function", urlOf("export default () => {}"), "its default export is no operator"],
  ["a name in capitals", operator('name: "A"'), 'its name is "A"'],
  ["a priority as text", operator('priority: "1"'), "its priority is no number"],
  ["nothing to call", operator("instantiate: 1"), "it has no function instantiate(gadget)"],
  ["params that are no list", operator("params: {}"), "its params are no list"],
  ["a param that is null", operator("params: [null]"), "a param is called undefined"],
  ["a param of no name", operator('params: [{ name: "x" }]'), 'a param is called "x"'],
  ["a param that is no flag", operator('params: [{ name: "a-B=c" }]'), "use a-z, 0-9 and dashes"],
  [
    "two params of one name",
    operator(`params: ["a-b", "a-b"].map((name) => ({ name, description: "" }))`),
    "there are two params a-b",
  ],
  ["a param without words", operator('params: [{ name: "a-b" }]'), "param a-b has no description"],
  [
    "a short flag",
    operator('params: [{ name: "a-b", short: "b", description: "" }]'),
    "the short flags are kmeter's own",
  ],
  [
    "a value that is no text",
    operator('params: [{ name: "a-b", value: 1, description: "" }]'),
    "param a-b: value is",
  ],
];

for (const [what, url, message] of REFUSED) {
  Deno.test(`no operator: ${what}`, async () => {
    await assertRejects(() => loadModule(url), Error, message);
  });
}

Deno.test("an operator is taken as it is", async () => {
  const { name, priority, params } = await loadModule(
    operator('params: [{ name: "a-b", value: "N", description: "c" }]'),
  );
  assertEquals([name, priority, params?.length], ["a", 1, 1]);
});
