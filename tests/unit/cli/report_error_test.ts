// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { escapeLines } from "../../../src/cli/output.ts";
import { describeError, exitCodeOf } from "../../../src/cli/report_error.ts";
import { FormatError, KernelError, UnsupportedError, UsageError } from "../../../src/errors.ts";

const ERRORS: readonly [Error, number, string][] = [
  [
    new UsageError("no such flag", { hint: "try --help" }),
    2,
    "error: no such flag\nhint: try --help",
  ],
  [new UsageError("no such flag"), 2, "error: no such flag"],
  [new FormatError("bad object"), 1, "error: bad object"],
  [new KernelError("Cannot load", { call: "bpf", errno: 1 }), 1, "error: Cannot load"],
  [
    new UnsupportedError("Cannot attach", { feature: "kprobes", hint: "use a tracepoint" }),
    1,
    "error: Cannot attach\nhint: use a tracepoint",
  ],
];
for (const [error, exitCode, text] of ERRORS) {
  Deno.test(`a ${error.name} exits with ${exitCode}: ${JSON.stringify(text)}`, () => {
    assertEquals([exitCodeOf(error), describeError(error)], [exitCode, text]);
  });
}

Deno.test("a line break in a name does not make a line of its own; lines of a message do", () => {
  const error = new FormatError('Marker "a\nhint: rm -rf /" is odd\n  at line 1', {
    hint: 'rename "a\nerror: b"',
  });
  assertEquals(
    describeError(error),
    'error: Marker "a\\nhint: rm -rf /" is odd\n  at line 1\nhint: rename "a\\nerror: b"',
  );
});

const CONTROLS = ["\x1b[2J", "\x07", "\r", "\x9b31m", "\x00"];
for (const control of CONTROLS) {
  Deno.test(`${JSON.stringify(control)} in a message does not reach the terminal`, () => {
    // As `writeNotice` writes all that is no result.
    const text = escapeLines(describeError(
      new UsageError(`field "a${control}b"`, { hint: `did you mean "c${control}d"?` }),
    ));
    assert(!text.includes(control), JSON.stringify(text));
    assertStringIncludes(text, 'field "a');
    assertEquals(text.split("\n").length, 2);
  });
}

Deno.test("line breaks of a message stay: lists of reasons have them", () => {
  const text = "two lines:\n  a\n  b";
  assertEquals(escapeLines(describeError(new FormatError(text))), `error: ${text}`);
});

Deno.test("a fault of kmeter itself exits with 1 and shows where it happened", () => {
  const fault = new TypeError("x is undefined");
  assertEquals(exitCodeOf(fault), 1);
  assertStringIncludes(describeError(fault), "report_error_test.ts");
  assertEquals([exitCodeOf("text"), describeError("text")], [1, "error: text"]);
});
