/** Operators of others: the examples of docs/operators.md, and what comes of those that are slow or fail. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { runCase, testWith } from "./cases.ts";
import { CHECKOUT } from "./kmeter_command.ts";
import { sleep } from "./kmeter_process.ts";
import { readmeBlocks } from "./readme_blocks.ts";
import { ANY_PORT, pageWith, readPage, samplesOf, servedAt } from "./scrape.ts";
import { NamedProgram, Sandbox } from "./sandbox.ts";

const DOCS = Deno.readTextFileSync(`${CHECKOUT}/docs/operators.md`);
/** Long enough for a row to arrive after its event. */
const ROW_DELAY_MS = 300;

/** Words of a command line of the docs, without the program. */
function argumentsOf(command: string): string[] {
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) =>
    quoted ?? plain
  );
  assertEquals(words.shift(), "scripts/kmeter");
  return words;
}

testWith(
  "the examples of docs/operators.md count what happens",
  ["root", "/usr/bin/python3"],
  async () => {
    using sandbox = new Sandbox();
    using program = new NamedProgram();
    let commandCount = 0;
    for (const block of readmeBlocks(DOCS)) {
      if (block.kind === "file") sandbox.write(block.path, block.text);
      if (block.kind !== "commands") continue;
      for (const command of block.commands) {
        commandCount++;
        await runCase({
          name: command,
          run: [...argumentsOf(command), ANY_PORT],
          options: { cwd: sandbox.folder },
          during: async (kmeter) => {
            const address = await servedAt(kmeter);
            await program.run(3);
            const taken = /^kmeter_operator_rows_total\{operator="\w+"\} ([3-9]|\d\d)/m;
            await pageWith(address, (page) => taken.test(page));
            kmeter.kill("SIGINT");
          },
          expect: { code: 0, stdout: new RegExp(`^3 ${program.name}$`, "m") },
        });
      }
    }
    assertEquals(commandCount, 2);
    await runCase({
      name: "serve",
      run: ["serve", "--listen=127.0.0.1:0", "--socket=none"],
      options: { cwd: sandbox.folder },
      during: async (kmeter) => {
        const address = await servedAt(kmeter);
        await program.run(3);
        const taken =
          /_rows_total\{operator="exec"\} [1-9][^]*_rows_total\{operator="busiest"\} [1-9]/;
        await pageWith(address, (page) => taken.test(page));
        kmeter.kill("SIGINT");
      },
      expect: { code: 0 },
      check: ({ stdout }) => {
        assertEquals(stdout.split("\n").filter((line) => line === `3 ${program.name}`).length, 2);
      },
    });
  },
);

testWith(
  "a module writes files and opens connections, and has metrics counted",
  ["root"],
  async () => {
    using sandbox = new Sandbox();
    using program = new NamedProgram();
    const { promise: posted, resolve } = Promise.withResolvers<string>();
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        const text = await request.text();
        if (text.includes(program.name)) resolve(text);
        return new Response();
      },
    );
    sandbox.write(
      "poster.ts",
      `export default { name: "poster", priority: 60, instantiate(gadget: { metrics: any }) {
      gadget.metrics.subscribe({ async take(reading: any) {
        const body = reading.snapshot().flatMap(({ series }: any) => series.map(({ labels, value }: any) =>
          labels.comm + " " + value)).join("\\n");
        Deno.writeTextFileSync("posted.txt", body);
        await (await fetch("http://127.0.0.1:${server.addr.port}/", { method: "POST", body })).body?.cancel();
      } }, { intervalMs: 100 });
    } };`,
    );
    await runCase({
      name: "poster",
      run: ["run", "trace_exec", "--operator", "./poster.ts"],
      options: { cwd: sandbox.folder },
      during: async (kmeter) => {
        await kmeter.waitFor("stdout", /COMM/);
        await program.run(3);
        assertMatch(await posted, new RegExp(`^${program.name} [123]$`, "m"));
        kmeter.kill("SIGINT");
      },
      expect: { code: 0, stderr: "" },
    });
    assertMatch(
      Deno.readTextFileSync(`${sandbox.folder}/posted.txt`),
      new RegExp(`^${program.name} 3$`, "m"),
    );
  },
);

/** Runs trace_exec beside an operator; the program of the test's own must be counted whole. */
function faultCase(
  name: string,
  operator: string,
  expected: { readonly isUp: boolean; readonly stderr: RegExp; readonly module?: string },
): void {
  testWith(name, ["root"], async () => {
    using sandbox = new Sandbox();
    using program = new NamedProgram();
    if (expected.module !== undefined) sandbox.write("operator.js", expected.module);
    await runCase({
      name,
      run: ["run", "trace_exec", ANY_PORT, "-o", "none", "--operator", operator],
      options: { cwd: sandbox.folder },
      during: async (kmeter) => {
        const address = await servedAt(kmeter);
        await program.run(3);
        const up = `kmeter_operator_up{operator="${expected.module ? "faulty" : "exec"}"} ${
          expected.isUp ? 1 : 0
        }`;
        await pageWith(address, (page) => page.includes(up));
        await sleep(ROW_DELAY_MS);
        await program.run(2);
        const page = await readPage(address);
        const [count] = samplesOf(page, "execs_total", `comm="${program.name}"`);
        assertMatch(count, / 5$/);
        kmeter.kill("SIGINT");
      },
      expect: { code: 0, stderr: expected.stderr },
    });
  });
}

const faulty = (body: string) =>
  `export default { name: "faulty", priority: 1, instantiate({ dataSources: [source] }) { ${body} } };`;

faultCase("an operator that throws is left out, all else is counted", "./operator.js", {
  isUp: false,
  stderr: /^warning: operator faulty has failed: ouch$/m,
  module: faulty('source.subscribe({ take() { throw new Error("ouch"); } });'),
});
faultCase("an operator that throws when nobody waits for it is left out", "./operator.js", {
  isUp: false,
  stderr: /^warning: operator faulty has failed: .*late$/m,
  module: faulty('setTimeout(() => { throw new Error("late"); }, 100);'),
});
faultCase("an operator that never comes back keeps nobody", "./operator.js", {
  isUp: true,
  stderr: /^warning: operator faulty has failed: its stop has not ended in 3 s$/m,
  module: faulty("source.subscribe({ take() { for (;;); } });"),
});
faultCase("a program that ends is left out", "exec:read line; exit 3", {
  isUp: false,
  stderr: /^warning: operator exec has failed: the program has ended: status 3$/m,
});
faultCase(
  "a program that reads nothing and does not end is killed with its children",
  "exec:sleep 600; true",
  {
    isUp: true,
    stderr:
      /^warning: operator exec did not end well: its program has not ended in 2 s, and was killed$/m,
  },
);

const ERRORS: readonly [string, string, string, RegExp][] = [
  ["is not there", "./nosuch.js", "", /^error: operator \.\/nosuch\.js: Module not found/],
  ["is no JavaScript", "./operator.js", "export default {", /^error: operator .*SyntaxError/],
  ["exports nothing", "./operator.js", "", /its default export is no operator/],
  ["has no name", "./operator.js", "export default {}", /its name is undefined: use a-z/],
  [
    "has a param of kmeter's",
    "./operator.js",
    'export default { name: "map", priority: 1, instantiate() {}, params: [{ name: "map-fetch-count", description: "" }] };',
    /^error: --map-fetch-count of an operator is a flag of kmeter already/,
  ],
  [
    "has a name of kmeter's",
    "./operator.js",
    'export default { name: "cli", priority: 1, instantiate() {} };',
    /^error: The name "cli" is that of an operator of kmeter's own/,
  ],
  [
    "objects to the gadget",
    "./operator.js",
    faulty("throw new Error(`no ${source.name}`);"),
    /^error: operator faulty: no exec$/m,
  ],
  [
    "imports from the network",
    "./operator.js",
    'import "https://kmeter.invalid/a.js";',
    /it imports code from the network, which it may not/,
  ],
  ["is an empty command", "exec: ", "", /^error: --operator "exec: ": there is no command/],
];

for (const [what, operator, module, stderr] of ERRORS) {
  const name = `an operator that ${what}`;
  testWith(name, ["root"], async () => {
    using sandbox = new Sandbox();
    sandbox.write("operator.js", module);
    await runCase({
      name,
      run: ["run", "trace_exec", "-o", "none", "--operator", operator],
      options: { cwd: sandbox.folder },
      expect: { code: 2, stdout: "", stderr },
    });
  });
}
