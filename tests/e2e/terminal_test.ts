// deno-lint-ignore-file no-control-regex
/** What is seen on a terminal: its width and height, pictures in place, and that it is given back. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { displayWidth } from "../../src/view/mod.ts";
import { testWith } from "./cases.ts";
import { startKmeter } from "./kmeter_process.ts";
import { NamedProgram, Sandbox } from "./sandbox.ts";
import { PYTHON, TerminalProcess } from "./terminal_process.ts";

const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const PICTURES = /\x1b\[H([^]*?)\x1b\[J/g;
const CONTROLS = /\x1b\[[?\d;]*[a-zA-Z]/g;
const COLOURS = /\x1b\[[\d;]*m/;

testWith("a table of a map stays in its place, and the terminal is given back", [
  "root",
  PYTHON,
], async () => {
  await using kmeter = new TerminalProcess(["run", "top_syscalls"], { rows: 8, columns: 40 });
  await kmeter.waitFor(/ 6 of \d+ rows[^]*\nSYS_[^]*\x1b\[J/);
  assertMatch(kmeter.text, /loading top_syscalls …\r\x1b\[K/);
  assertPictures(kmeter.text, { rows: 8, columns: 40 });
  await kmeter.resize({ rows: 12, columns: 120 });
  // At first one that was under way when the size changed may come.
  await kmeter.waitFor(/\x1b\[H.* 10 of \d+ rows +sort -calls[^]*\x1b\[J/);
  const resized = kmeter.text.slice(kmeter.text.search(/\x1b\[H.* 10 of /));
  assertPictures(resized, { rows: 12, columns: 120 });
  await kmeter.kill("SIGTSTP");
  await kmeter.waitFor(/1049l$/);
  await kmeter.kill("SIGCONT");
  await kmeter.waitFor(/1049l[^]*1049h[^]*rows/);
  await kmeter.kill("SIGINT");
  const { code, stdout } = await kmeter.output.finish({ timeoutMs: 20_000 });
  assertEquals(code, 0, stdout);
  const last = stdout.slice(stdout.lastIndexOf(LEAVE) + LEAVE.length);
  assert(!last.includes("\x1b"), JSON.stringify(last));
  assertMatch(last, /^top_syscalls +\d\d:.*\nSYSCALL.*\n(SYS_.*\n){10}top_syscalls: \d+ rows in /);
  assert(!COLOURS.test(stdout), "NO_COLOR is set");
});

testWith("events fit a terminal that changes, and a header follows them", [
  "root",
  PYTHON,
], async () => {
  using program = new NamedProgram();
  const long = "x".repeat(200);
  await using kmeter = new TerminalProcess(["run", "trace_exec"], {
    rows: 8,
    columns: 40,
    env: { NO_COLOR: "" },
  });
  await kmeter.waitFor(/COMM.*\n/);
  for (const columns of [40, 120]) {
    if (columns !== 40) await kmeter.resize({ rows: 8, columns });
    // What was under way has the width that was before.
    await kmeter.waitFor(/COMM[^]*…\n/, () => program.run(1, [long]));
    const lines = kmeter.text.replace(/^.*\r/, "").split("\n").slice(0, -1);
    for (const line of lines) {
      assert(displayWidth(line.replaceAll(CONTROLS, "")) <= columns, JSON.stringify(line));
    }
    const header = lines.filter((line) => line.includes("COMM")).at(-1);
    assertMatch(header ?? "", COLOURS);
  }
  await kmeter.kill("SIGINT");
  const { code, stdout } = await kmeter.output.finish({ timeoutMs: 20_000 });
  assertEquals(code, 0, stdout);
  assertMatch(stdout, /\ntrace_exec: [1-9]\d* events in \d+\.\d s, 0 lost\n$/);
  assert(!stdout.includes(ENTER));
});

testWith("attach gives its terminal back when the server is killed", ["root", PYTHON], async () => {
  using sandbox = new Sandbox();
  const socket = sandbox.path("socket");
  await Deno.writeTextFile(sandbox.path("kmeter.yaml"), "gadgets: [top_syscalls]\n");
  await using server = startKmeter([
    ...["serve", "-f", sandbox.path("kmeter.yaml"), "--listen", "127.0.0.1:0"],
    ...["--socket", socket],
  ]);
  await server.waitFor("stderr", /metrics at /);
  await using kmeter = new TerminalProcess(["attach", "top_syscalls", "--socket", socket], {
    rows: 8,
    columns: 40,
  });
  await kmeter.waitFor(/ 6 of \d+ rows[^]*\x1b\[J/);
  assertPictures(kmeter.text, { rows: 8, columns: 40 });
  await kmeter.resize({ rows: 12, columns: 120 });
  await kmeter.waitFor(/ 10 of \d+ rows +sort -calls/);
  server.kill("SIGKILL");
  const { code, stdout } = await kmeter.output.finish({ timeoutMs: 20_000 });
  assertEquals(code, 1);
  const last = stdout.slice(stdout.lastIndexOf(LEAVE));
  assertMatch(last, /^.*error: .* has ended in the middle of its answer\n/);
  assert(stdout.includes(ENTER));
});

testWith(
  "a reader that has seen enough ends a gadget that sees nothing more",
  ["root"],
  async () => {
    await using kmeter = startKmeter(["run", "trace_exec", "--filter", "proc.comm==nobody"], {
      prefix: ["sh", "-c", '"$@" | head -n 1', "sh"],
    });
    const { code, stdout, stderr } = await kmeter.finish({ timeoutMs: 20_000 });
    assertEquals([code, stdout.split(" ")[0], stderr], [0, "COMM", ""]);
  },
);

/** Every picture begins at the top, has no more lines than the terminal, and none that is wider. */
function assertPictures(text: string, { rows, columns }: { rows: number; columns: number }): void {
  const pictures = [...text.matchAll(PICTURES)].map(([, picture]) => picture);
  assert(pictures.length > 0, JSON.stringify(text));
  for (const picture of pictures) {
    const lines = picture.split("\n");
    assert(lines.length <= rows, JSON.stringify(picture));
    for (const line of lines) {
      assert(displayWidth(line.replaceAll(CONTROLS, "")) < columns, JSON.stringify(line));
    }
  }
}
