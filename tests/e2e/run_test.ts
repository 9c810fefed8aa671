/** `kmeter run` on real gadgets: what it shows, serves and leaves behind. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type CommandCase, runCase, testCases, testWith } from "./cases.ts";
import { kmeterCommand } from "./kmeter_command.ts";
import { ChildProcess, type Outcome, runTool, sleep } from "./kmeter_process.ts";
import type { Requirement } from "./requirements.ts";
import { ANY_PORT, pageWith, readPage, samplesOf, servedAt } from "./scrape.ts";
import { fixtureGadget, NamedProgram, Sandbox } from "./sandbox.ts";

/** Long enough for a row to arrive after its event: rows wait for 50 ms at most. */
const ROW_DELAY_MS = 300;

const PYTHON_YAML = "/usr/lib/python3/dist-packages/yaml";

/** Runs trace_exec, starts a program of the test's own three times, and stops with SIGINT. */
function execCase(
  name: string,
  args: readonly string[],
  check: (outcome: Outcome, program: NamedProgram) => void | Promise<void>,
): void {
  const parser: Requirement[] = args.includes("yaml") ? [PYTHON_YAML] : ["/usr/bin/python3"];
  testWith(name, ["root", ...parser], async () => {
    using program = new NamedProgram();
    await runCase({
      name,
      run: ["run", "trace_exec", ANY_PORT, "-F", `proc.comm==${program.name}`, ...args],
      during: async (kmeter) => {
        await servedAt(kmeter);
        await program.run(3, ["two words", "x\ny", '"quoted": #\\']);
        await sleep(ROW_DELAY_MS);
        kmeter.kill("SIGINT");
      },
      expect: { code: 0 },
      check: (outcome) => check(outcome, program),
    });
  });
}

/** Reads text by a parser that is not ours. @returns what python's json prints of it. */
async function parseWithPython(program: string, text: string): Promise<unknown> {
  using sandbox = new Sandbox();
  const file = sandbox.write("text", text);
  const { stdout } = await runTool(["/usr/bin/python3", "-c", program, file]);
  return JSON.parse(stdout);
}

const READ_JSON_LINES =
  "import json,sys; print(json.dumps([json.loads(l) for l in open(sys.argv[1], newline='\\n')]))";
const READ_JSON_STREAM = `import json,sys
text = open(sys.argv[1]).read(); rows = []; at = 0; reader = json.JSONDecoder()
while text[at:].strip():
    row, end = reader.raw_decode(text[at:].lstrip()); at += len(text[at:]) - len(text[at:].lstrip()) + end; rows.append(row)
print(json.dumps(rows))`;
const READ_YAML =
  "import yaml,json,sys; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1]))),default=str))";

interface ExecRow {
  readonly proc: {
    readonly comm: string;
    readonly pid: number;
    readonly parent: { readonly pid: number };
  };
  readonly args_count: number;
  readonly args: string;
  readonly error: string;
}

function assertExecRows(rows: unknown, program: NamedProgram): void {
  const execs = rows as ExecRow[];
  assertEquals(
    execs.map(({ proc, args_count, args, error }) => ({
      comm: proc.comm,
      parent: proc.parent.pid,
      args_count,
      args,
      error,
    })),
    Array(3).fill({
      comm: program.name,
      parent: Deno.pid,
      args_count: 4,
      args: `${program.path} two words x\ny "quoted": #\\`,
      error: "",
    }),
  );
  assertEquals(new Set(execs.map(({ proc }) => proc.pid)).size, 3);
}

execCase("-o json: one JSON object per line", ["-o", "json"], async ({ stdout }, program) => {
  assertEquals(stdout.trimEnd().split("\n").length, 3);
  assertExecRows(await parseWithPython(READ_JSON_LINES, stdout), program);
});

execCase(
  "-o jsonpretty: indented JSON objects",
  ["-o", "jsonpretty"],
  async ({ stdout }, program) => {
    assertMatch(stdout, /^\{\n {2}"timestamp_raw": \d+,\n/);
    assertExecRows(await parseWithPython(READ_JSON_STREAM, stdout), program);
  },
);

execCase("-o yaml: one document per row", ["-o", "yaml"], async ({ stdout }, program) => {
  assertExecRows(await parseWithPython(READ_YAML, stdout), program);
});

execCase("-o none: no rows", ["-o", "none"], ({ stdout }) => assertEquals(stdout, ""));

execCase("-o columns: a header, and rows aligned under it", [], ({ stdout }, program) => {
  const [header, ...rows] = stdout.trimEnd().split("\n");
  assertMatch(header, /^COMM +PID +UID +PPID ERROR +ARGS$/);
  assertEquals(rows.length, 3);
  for (const row of rows) {
    assertEquals(row.slice(0, program.name.length), program.name);
    assertEquals(row.indexOf(program.path), header.indexOf("ARGS"));
    // Arguments of a stranger must not break the lines.
    assert(row.includes("x\\ny"), row);
  }
});

execCase(
  "--fields chooses and orders columns",
  ["--fields", "args_count,proc.comm"],
  ({ stdout }, program) => {
    const [header, ...rows] = stdout.trimEnd().split("\n").map((line) => line.trim().split(/ +/));
    assertEquals(header, ["ARGS_COUNT", "COMM"].map((title) => title.slice(0, header[0].length)));
    assertEquals(rows, Array(3).fill(["4", program.name]));
  },
);

execCase(
  "--fields +x,-y adds and removes",
  ["-o", "json", "--fields", "-args,-timestamp"],
  ({ stdout }) => {
    for (const line of stdout.trimEnd().split("\n")) {
      const row = JSON.parse(line);
      assertEquals("args" in row || "timestamp" in row, false);
      assertEquals(row.args_count, 4);
    }
  },
);

testWith("a filter's conditions must all hold, for rows and for metrics", ["root"], async () => {
  using program = new NamedProgram();
  await runCase({
    name: "filter",
    run: [
      ...["run", "trace_exec", ANY_PORT, "-o", "json"],
      ...["-F", `proc.comm==${program.name},args_count>2`],
    ],
    during: async (kmeter) => {
      const address = await servedAt(kmeter);
      await program.run(2);
      await program.run(3, ["a", "b"]);
      const page = await pageWith(
        address,
        (text) => / 3$/m.test(samplesOf(text, "execs_total")[0]),
      );
      assertEquals(samplesOf(page, "execs_total"), [
        `execs_total{comm="${program.name}",error=""} 3`,
      ]);
      kmeter.kill("SIGINT");
    },
    expect: { code: 0 },
    check: ({ stdout }) => {
      const counts = stdout.trimEnd().split("\n").map((line) => JSON.parse(line).args_count);
      assertEquals(counts, [3, 3, 3]);
    },
  });
});

testCases([
  {
    name: "--timeout ends the run",
    requires: ["root"],
    run: ["run", "trace_exec", "--timeout", "1"],
    expect: { code: 0, stdout: /^COMM /, stderr: "" },
    timeoutMs: 5000,
  },
  ...(["SIGINT", "SIGTERM"] as const).map((signal): CommandCase => ({
    name: `${signal} ends the run with 0 and leaves nothing loaded`,
    requires: ["root"],
    run: ["run", "trace_exec"],
    during: async (kmeter) => {
      await kmeter.waitFor("stdout", /^COMM /);
      kmeter.kill(signal);
    },
    expect: { code: 0, stderr: "" },
    timeoutMs: 5000,
  })),
  {
    name: "SIGTERM ends a run that serves metrics, while a client holds its connection",
    requires: ["root"],
    run: ["run", "trace_exec", ANY_PORT, "-o", "none"],
    during: async (kmeter) => {
      await readPage(await servedAt(kmeter));
      kmeter.kill("SIGTERM");
    },
    expect: { code: 0, stdout: "" },
    timeoutMs: 5000,
  },
  {
    name: "--dump-code prints the generated loop to stderr",
    requires: ["root"],
    run: ["run", "trace_exec", ANY_PORT, "-o", "none", "--dump-code", "-t", "300ms"],
    expect: {
      code: 0,
      stdout: "",
      stderr: [
        /^\/\/ data source exec$/m,
        /^\/\/ key 0: proc\.comm/m,
        /function ring\(/,
        /sourceURL/,
      ],
    },
  },
]);

testWith("`| head -1` ends the run without a word", ["root"], async () => {
  using program = new NamedProgram();
  const line = [...kmeterCommand("run"), "run", "trace_exec"].map((word) => `'${word}'`).join(" ");
  await using shell = new ChildProcess([
    "bash",
    "-c",
    `${line} | head -1; echo "exit \${PIPESTATUS[0]}"`,
  ]);
  await shell.waitFor("stdout", /^COMM/);
  // The reader is gone: the next row tells kmeter.
  for (let attempt = 0; attempt < 50 && !shell.stdout.includes("exit"); attempt++) {
    await program.run(1);
  }
  const { stdout, stderr } = await shell.finish();
  assertMatch(stdout, /^COMM .*\nexit 0\n$/);
  assertEquals(stderr, "");
});

testWith("metrics.print draws the histogram of block I/O, live", ["root"], async () => {
  using sandbox = new Sandbox("/var/tmp");
  const file = sandbox.path("blocks");
  const write = [
    "dd",
    "if=/dev/zero",
    `of=${file}`,
    "bs=4k",
    "count=32",
    "oflag=direct",
    "status=none",
  ];
  await runCase({
    name: "profile_blockio",
    run: ["run", "profile_blockio", "--otel-metrics-print-interval", "200ms"],
    during: async (kmeter) => {
      await kmeter.waitFor("stdout", /blockio_latency/);
      await runTool(write);
      await kmeter.waitFor("stdout", /disk="?\w+"?.*operation="?write/);
      const before = kmeter.stdout.length;
      await runTool(write);
      await sleep(500);
      assert(kmeter.stdout.slice(before).includes("*"), "it is drawn again");
      kmeter.kill("SIGINT");
    },
    expect: { code: 0, stdout: /\d+ *-> *\d+ *: *\d+ *\|\**/, stderr: "" },
  });
});

testWith("--annotate makes metrics of any field, and repeats add up", ["root"], async () => {
  using program = new NamedProgram();
  await runCase({
    name: "annotate",
    run: [
      "run",
      await fixtureGadget("exec_args"),
      ANY_PORT,
      "-F",
      `name==${program.name}`,
      "--annotate",
      "events.count:metrics.type=histogram,events.count:metrics.boundaries=1\\,2\\,4",
      "--annotate",
      "events.count:metrics.name=args_per_program",
    ],
    during: async (kmeter) => {
      const address = await servedAt(kmeter);
      await program.run(2);
      await program.run(1, ["a", "b", "c"]);
      await program.run(1, Array(9).fill("x"));
      const page = await pageWith(address, (text) => /programs_total\{.*\} 4$/m.test(text));
      const label = `name="${program.name}"`;
      assertEquals(samplesOf(page, "args_per_program_bucket", label), [
        `args_per_program_bucket{${label},le="1"} 2`,
        `args_per_program_bucket{${label},le="2"} 2`,
        `args_per_program_bucket{${label},le="4"} 3`,
        `args_per_program_bucket{${label},le="+Inf"} 4`,
      ]);
      assertEquals(samplesOf(page, "args_per_program_sum", label), [
        `args_per_program_sum{${label}} 16`,
      ]);
      kmeter.kill("SIGINT");
    },
    expect: { code: 0 },
  });
});

testWith(
  "names: --otel-metrics-name sets the scope, --metrics-prefix the beginning",
  ["root"],
  async () => {
    using program = new NamedProgram();
    await runCase({
      name: "names",
      run: [
        "run",
        "trace_exec",
        ANY_PORT,
        "-o",
        "none",
        "--otel-metrics-name",
        "exec:my_scope",
        "--metrics-prefix",
        "node1_",
      ],
      during: async (kmeter) => {
        const address = await servedAt(kmeter);
        await program.run(2);
        const page = await pageWith(address, (text) => text.includes(program.name));
        assertMatch(
          page,
          new RegExp(
            `^node1_execs_total\\{otel_scope_name="my_scope",.*comm="${program.name}".*\\} 2$`,
            "m",
          ),
        );
        kmeter.kill("SIGINT");
      },
      expect: { code: 0 },
    });
  },
);

testWith(
  "a map is read --map-fetch-count times, every --map-fetch-interval",
  ["root"],
  async () => {
    const gadget = await fixtureGadget("uid_execs");
    const startMs = performance.now();
    await runCase({
      name: "count",
      run: ["run", gadget, "--map-fetch-count", "3", "--map-fetch-interval", "300ms", "-o", "json"],
      expect: { code: 0, stderr: "" },
      check: ({ stdout }) => {
        for (const line of stdout.trimEnd().split("\n").slice(0, -1)) JSON.parse(line);
      },
    });
    assert(performance.now() - startMs >= 900, "three intervals");
  },
);

testWith("a map that is not shown is read in place, when scraped", ["root"], async () => {
  await runCase({
    name: "snapshot",
    run: ["run", await fixtureGadget("uid_execs"), ANY_PORT, "-o", "none"],
    during: async (kmeter) => {
      const address = await servedAt(kmeter);
      const asUser = ["setpriv", "--reuid=54321", "--clear-groups", "/bin/true", "two"];
      for (const expected of [1, 2]) {
        await runTool(asUser);
        const page = await readPage(address);
        assertEquals(samplesOf(page, "execs_total", 'uid="54321"'), [
          `execs_total{uid="54321"} ${expected}`,
        ]);
        assertEquals(samplesOf(page, "last", 'uid="54321"'), ['last{uid="54321"} 2']);
        assertEquals(samplesOf(page, "arguments_bucket", 'uid="54321"', 'le="3"'), [
          `arguments_bucket{uid="54321",le="3"} ${expected}`,
        ]);
      }
      kmeter.kill("SIGINT");
    },
    expect: { code: 0, stdout: "" },
  });
});

testWith("parameters of the gadget are flags", ["root"], async () => {
  using program = new NamedProgram();
  await runCase({
    name: "params",
    run: ["run", "trace_exec", ANY_PORT, "-o", "json", "--comm", program.name],
    during: async (kmeter) => {
      await servedAt(kmeter);
      await program.run(2);
      await runTool(["/bin/true"]);
      await sleep(ROW_DELAY_MS);
      kmeter.kill("SIGTERM");
    },
    expect: { code: 0 },
    check: ({ stdout }) => {
      const comms = stdout.trimEnd().split("\n").map((line) => JSON.parse(line).proc.comm);
      assertEquals(comms, [program.name, program.name]);
    },
  });
});
