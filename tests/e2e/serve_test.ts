/** `kmeter serve`: many gadgets in one process, its file, its reloads, and what commands can ask of it. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertOneError, runCase, testCases, testWith } from "./cases.ts";
import { assertNothingLeft, listKernelObjects } from "./kernel_objects.ts";
import { type Outcome, startKmeter } from "./kmeter_process.ts";
import { fixtureObject, NamedProgram, Sandbox } from "./sandbox.ts";
import { pageWith, readPage, samplesOf, servedAt } from "./scrape.ts";
import { execsOf, Served } from "./served.ts";

/** No kernel can load it: its BTF is none. */
const BROKEN = "{gadget: trace_exec, name: broken, btf: /etc/passwd}";

testWith(
  "two instances of a gadget do not mix, and all ends with the process",
  ["root"],
  async () => {
    const before = await listKernelObjects();
    await using served = new Served(`gadgets:
  - trace_exec
  - {gadget: trace_exec, name: nobodys, filter: uid==65534}
  - top_syscalls
`);
    using program = new NamedProgram();
    const address = await servedAt(served.kmeter);
    await program.run(3);
    const page = await readPage(address);
    assertEquals(execsOf(page, "trace_exec", program.name), 3);
    assertEquals(execsOf(page, "nobodys", program.name), 0);
    assertEquals(
      page.split("\n").filter((line) => line.startsWith("kmeter_gadget_up{")).sort(),
      ["nobodys", "top_syscalls", "trace_exec"].map((name) =>
        `kmeter_gadget_up{gadget="${name}"} 1`
      ),
    );
    served.kmeter.kill("SIGTERM");
    assertEquals((await served.kmeter.finish()).code, 0);
    await assertNothingLeft(before);
  },
);

testWith("a gadget that cannot run does not stop the others, and is seen", ["root"], async () => {
  await using served = new Served(`gadgets: [trace_exec, ${BROKEN}]\n`);
  using program = new NamedProgram();
  const address = await servedAt(served.kmeter);
  await program.run(1);
  const page = await readPage(address);
  assertEquals(execsOf(page, "trace_exec", program.name), 1);
  assert(page.includes('kmeter_gadget_up{gadget="broken"} 0\n'), page);
  assertMatch(served.kmeter.stderr, /warning: broken does not run: /);
  assertMatch((await served.ask("ps")).stdout, /broken +trace_exec +failed/);
  assertMatch((await served.ask("logs", "broken")).stdout, /does not run: /);
});

testWith("a gadget whose object is broken or missing stops no other", ["root"], async () => {
  using sandbox = new Sandbox();
  const broken = sandbox.gadget("broken", { object: new Uint8Array(100), metadata: "name: x\n" });
  const empty = sandbox.path("empty");
  Deno.mkdirSync(empty);
  const gadgets = `gadgets: [trace_exec, ${broken}, ${empty}]\n`;
  await using served = new Served(gadgets);
  const page = await readPage(await servedAt(served.kmeter));
  for (const [name, isUp] of [["trace_exec", 1], ["broken", 0], ["empty", 0]]) {
    assert(page.includes(`kmeter_gadget_up{gadget="${name}"} ${isUp}\n`), page);
  }
  assertMatch(served.kmeter.stderr, /warning: empty does not run: Cannot run .*\nhint: /);
  assertMatch((await served.ask("logs", "broken")).stdout, /does not run: .*\nhint: /);

  await served.change("gadgets: [trace_exec]\n", /read again: 0 started, 2 stopped, 1 as before/);
  const last = await readPage(await servedAt(served.kmeter));
  assertEquals(last.split("\n").filter((line) => line.startsWith("kmeter_gadget_up{")).length, 1);

  const file = sandbox.write("kmeter.yaml", gadgets);
  await runCase({
    name: "--check tells them",
    run: ["serve", "-f", file, "--check"],
    expect: { code: 1, stdout: "", stderr: / 2 mistakes\n/ },
    check: ({ stderr }) => assertOneError(stderr),
  });
});

testWith("a change restarts what has changed, and the others count on", ["root"], async () => {
  await using served = new Served("gadgets:\n  - trace_exec\n  - {gadget: trace_exec, name: b}\n");
  using program = new NamedProgram();
  const address = await servedAt(served.kmeter);
  await program.run(2);
  await pageWith(address, (page) => execsOf(page, "b", program.name) === 2);
  await served.change(
    "gadgets:\n  - trace_exec\n  - {gadget: trace_exec, name: b, filter: uid==0}\n  - trace_tcp\n",
    /read again: 1 started, 1 restarted, 0 stopped, 1 as before/,
  );
  await program.run(1);
  const page = await readPage(address);
  assertEquals(execsOf(page, "trace_exec", program.name), 3);
  assertEquals(execsOf(page, "b", program.name), 1);
  assert(page.includes('kmeter_gadget_up{gadget="trace_tcp"} 1\n'), page);

  await served.change("gadgets:\n  - trace_exec\n  - {gadget: nope}\n", /all goes on as it was/);
  assertEquals(execsOf(await readPage(address), "b", program.name), 1);

  await served.change(
    "gadgets:\n  - trace_exec\n",
    /read again: 0 started, 2 stopped, 1 as before/,
  );
  const last = await readPage(address);
  assertEquals(execsOf(last, "trace_exec", program.name), 3);
  assertEquals(samplesOf(last, "kmeter_gadget_up").length, 1);
});

testWith(
  "SIGHUP reads the file at once, and a gadget that was stopped comes back",
  ["root"],
  async () => {
    await using served = new Served("gadgets: [trace_exec, trace_tcp]\n");
    await servedAt(served.kmeter);
    assertEquals((await served.ask("stop", "trace_tcp")).stdout, "trace_tcp\n");
    served.kmeter.kill("SIGHUP");
    await served.kmeter.waitFor("stderr", /read again: 1 started, 0 stopped, 1 as before/);
  },
);

testWith(
  "ps, start, attach and stop over the socket, which is its user's alone",
  ["root"],
  async () => {
    await using served = new Served("gadgets: [trace_exec, top_syscalls, profile_runqlat]\n");
    using program = new NamedProgram();
    await servedAt(served.kmeter);
    assertEquals(Deno.statSync(served.socket).mode! & 0o077, 0);
    assertEquals(
      (await served.ask("start", "trace_open", "--name", "opens", "--uid", "0")).stdout,
      "4 opens\n",
    );
    const instances = JSON.parse((await served.ask("ps", "-o", "json")).stdout);
    assertEquals(instances.map(({ name }: { name: string }) => name), [
      "trace_exec",
      "top_syscalls",
      "profile_runqlat",
      "opens",
    ]);
    assertMatch(
      (await served.ask("ps")).stdout,
      /^ID +NAME .*\n1 +trace_exec +trace_exec +running /,
    );

    await using watching = startKmeter(
      ["attach", "trace_exec", "-o", "json", "--fields", "comm", "--socket", served.socket],
    );
    // Events may come before it has attached: it is there when one is seen.
    while (watching.stdout === "") await program.run(1);
    assertMatch(watching.stdout, /^\{"proc":\{"comm":"/);
    await using rows = startKmeter([
      "attach",
      "2",
      "--max-entries",
      "3",
      "--socket",
      served.socket,
    ]);
    await rows.waitFor("stdout", /SYSCALL +COMM/);
    await using drawn = startKmeter(["attach", "profile_runqlat", "--socket", served.socket]);
    await drawn.waitFor("stdout", /runq_latency.*\n.*count +distribution/);

    assertEquals((await served.ask("stop", "1")).stdout, "trace_exec\n");
    const { code, stderr } = await watching.finish();
    assertEquals(code, 0, stderr);
    assertEquals(stderr, "trace_exec has ended\n");
    for (
      const args of [["stop", "1"], ["attach", "trace_exec"], ["logs", "x"], ["start", "nope"]]
    ) {
      const refused = await served.ask(...args);
      assertEquals(refused.code, 2);
      assertOneError(refused.stderr);
    }
    served.kmeter.kill("SIGINT");
    assertEquals((await served.kmeter.finish()).code, 0);
    assertEquals((await rows.finish()).code, 0);
  },
);

testWith(
  "names of a stranger control no terminal, and are no names of gadgets",
  ["root"],
  async () => {
    using sandbox = new Sandbox();
    const folder = sandbox.gadget("x\x1b[31m\n\u202e", {
      object: await fixtureObject("exec_args"),
      metadata: "name: x\n",
    });
    await using served = new Served("gadgets: [trace_exec]\n");
    await servedAt(served.kmeter);
    const refused = await served.ask("start", folder);
    assertEquals([refused.code, refused.stdout], [2, ""]);
    assertOneError(refused.stderr);
    assertEquals((await served.ask("start", folder, "--name", "x")).stdout, "2 x\n");
    const { stdout } = await served.ask("ps");
    assertMatch(stdout, /^2 +x +x\\x1b\[31m\\n\\u202e +running /m);
    const [, { gadget }] = JSON.parse((await served.ask("ps", "-o", "json")).stdout);
    assertEquals(gadget, "x\x1b[31m\n\u202e");
  },
);

testWith(
  "a socket that a killed server left is taken over; one in use is not",
  ["root"],
  async () => {
    await using first = new Served("gadgets: [trace_exec]\n");
    await servedAt(first.kmeter);
    await using second = startKmeter(["serve", "-f", first.sandbox.path("kmeter.yaml")]);
    const refused = await second.finish();
    assertEquals(refused.code, 2);
    assertMatch(refused.stderr, /another kmeter serve does\nhint: /);
    first.kmeter.kill("SIGKILL");
    await first.kmeter.finish();
    await using third = startKmeter(["serve", "-f", first.sandbox.path("kmeter.yaml")]);
    await servedAt(third);
    assertEquals((await first.ask("ps")).code, 0);
  },
);

testWith("--check tells every mistake with its place, and runs nothing", [], async () => {
  using sandbox = new Sandbox();
  const file = sandbox.write(
    "kmeter.yaml",
    `listen: 127.0.0.1:0
exporters: {main: {exporter: otlp-http, headers: {a: secret}}}
gadgets:
  - gadget: trace_exec
    filter: nope==1
  - gadget: nosuch
  - gadget: trace_open
    params:
      uid: many
    annotate:
      open.comm:metrics.tipe: key
  - {gadget: trace_tcp, otel-metrics-exporter: mian}
  - gadgat: x
operators: [nosuch.js]
`,
  );
  await runCase({
    name: "mistakes",
    run: ["serve", "-f", file, "--check"],
    expect: {
      code: 1,
      stdout: "",
      stderr: [
        /: 9 mistakes\n/,
        /kmeter\.yaml:2 \(exporters\.main\): exporter "main" has no "endpoint"/,
        /kmeter\.yaml:5 \(gadgets\.0\.filter\): .*nope/,
        /kmeter\.yaml:6 \(gadgets\.1\): There is no gadget "nosuch"/,
        /kmeter\.yaml:9 \(gadgets\.2\.params\.uid\): .*"many"/,
        /kmeter\.yaml:10 \(gadgets\.2\.annotate\): .*metrics\.tipe/,
        /kmeter\.yaml:12 \(gadgets\.3\.otel-metrics-exporter\): .*did you mean "main"/,
        /kmeter\.yaml:13 \(gadgets\.4\.gadgat\): "gadgat"/,
        /kmeter\.yaml:14 \(operators\.0\): there is no file ".*\/nosuch\.js"/,
      ],
    },
    check: ({ stderr }) => assertOneError(stderr),
  });
});

testCases([
  {
    name: "serve without a file",
    run: ["serve", "-f", "/nonexistent/kmeter.yaml"],
    expect: { code: 2, stdout: "", stderr: /there is no such file\nhint: / },
    check: ({ stderr }) => assertOneError(stderr),
  },
  {
    name: "a command without a server",
    run: ["ps", "--socket", "/nonexistent/kmeter.sock"],
    expect: { code: 1, stdout: "", stderr: /no such socket: ENOENT from connect\nhint: / },
    check: ({ stderr }) => assertOneError(stderr),
  },
  {
    name: "a socket that is a file",
    run: ["ps", "--socket", "/etc/passwd"],
    expect: { code: 1, stdout: "", stderr: /serve listens there: ECONNREFUSED from connect\n/ },
    check: ({ stderr }) => assertOneError(stderr),
  },
  {
    name: "a socket below a file",
    run: ["ps", "--socket", "/etc/passwd/kmeter.sock"],
    expect: { code: 1, stdout: "", stderr: /kmeter\.sock": ENOTDIR from connect\nhint: / },
    check: ({ stderr }) => assertOneError(stderr),
  },
]);

testWith("files that the file names are beside it, and a switch is true or false", [], async () => {
  using sandbox = new Sandbox();
  const refused: [text: string, stderr: RegExp | string][] = [
    ["web.config.file: web.yml", sandbox.path("web.yml")],
    [
      "openmetrics-created: maybe",
      /kmeter\.yaml:1 \(openmetrics-created\): "maybe": wanted true or/,
    ],
    ["gadgets: [{gadget: trace_exec, btf: vmlinux}]", sandbox.path("vmlinux")],
  ];
  for (const [text, stderr] of refused) {
    const gadgets = text.startsWith("gadgets") ? "" : "gadgets: [trace_exec]\n";
    const file = sandbox.write("kmeter.yaml", `${text}\n${gadgets}`);
    const { code, stderr: told } = await check(file);
    assert(
      code !== 0 && (typeof stderr === "string" ? told.includes(stderr) : stderr.test(told)),
      told,
    );
  }
});

async function check(file: string): Promise<Outcome> {
  await using kmeter = startKmeter(["serve", "-f", file, "--check"]);
  return await kmeter.finish();
}

testWith("no gadget at all can run", ["root"], async () => {
  using sandbox = new Sandbox();
  const file = sandbox.write(
    "kmeter.yaml",
    `listen: 127.0.0.1:0\nsocket: none\ngadgets: [${BROKEN}]\n`,
  );
  await runCase({
    name: "none",
    run: ["serve", "-f", file],
    expect: { code: 1, stdout: "", stderr: /error: / },
  });
});
