/** Command line cases as data: name, requires, run, expect, timeout. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertNothingLeft, listKernelObjects } from "./kernel_objects.ts";
import {
  type ChildProcess,
  type Outcome,
  type SpawnOptions,
  startKmeter,
} from "./kmeter_process.ts";
import { missingRequirement, type Requirement } from "./requirements.ts";

/** Exact text, a pattern, or several patterns that must all match. */
export type Expectation = string | RegExp | readonly RegExp[];

/** One command line and what it must do. */
export interface CommandCase {
  readonly name: string;
  readonly requires?: readonly Requirement[];
  /** Arguments of kmeter. */
  readonly run: readonly string[];
  readonly options?: SpawnOptions;
  /** What happens while the command runs. */
  readonly during?: (kmeter: ChildProcess) => Promise<void>;
  readonly expect: {
    readonly code: number;
    readonly stdout?: Expectation;
    readonly stderr?: Expectation;
  };
  /** For checks that a pattern cannot say. */
  readonly check?: (outcome: Outcome) => void | Promise<void>;
  readonly timeoutMs?: number;
}

/** Registers a test for each case. */
export function testCases(cases: readonly CommandCase[]): void {
  for (const entry of cases) {
    testWith(entry.name, entry.requires ?? [], () => runCase(entry));
  }
}

/** Registers a test, ignored with its reason printed where something it needs is missing. */
export function testWith(
  name: string,
  requires: readonly Requirement[],
  run: () => Promise<void>,
): void {
  const missing = missingRequirement(requires);
  if (missing !== undefined) {
    // deno-lint-ignore no-console -- scripts/test collects these lines
    console.log(`skip: ${name}: ${missing}`);
  }
  Deno.test({ name, ignore: missing !== undefined, fn: run });
}

/** Runs a case, and checks that it leaves nothing in the kernel. */
export async function runCase(entry: CommandCase): Promise<void> {
  const before = Deno.uid() === 0 ? await listKernelObjects() : new Set<string>();
  await using kmeter = startKmeter(entry.run, entry.options);
  await entry.during?.(kmeter);
  const outcome = await kmeter.finish({ timeoutMs: entry.timeoutMs ?? 10_000 });
  const { code, stdout, stderr } = entry.expect;
  assertEquals(outcome.signal, null, outcome.stderr);
  assertEquals(outcome.code, code, `stdout:\n${outcome.stdout}\nstderr:\n${outcome.stderr}`);
  if (stdout !== undefined) assertText(outcome.stdout, stdout);
  if (stderr !== undefined) assertText(outcome.stderr, stderr);
  await entry.check?.(outcome);
  if (Deno.uid() === 0) await assertNothingLeft(before);
}

function assertText(actual: string, expected: Expectation): void {
  if (typeof expected === "string") return assertEquals(actual, expected);
  const patterns = expected instanceof RegExp ? [expected] : expected;
  for (const pattern of patterns) assertMatch(actual, pattern);
}

/** Checks that stderr holds one error with one hint and no stack trace, and nothing else. */
export function assertOneError(stderr: string): void {
  const lines = stderr.trimEnd().split("\n").filter((line) => !line.startsWith("warning: "));
  assertEquals(lines.filter((line) => line.startsWith("error: ")).length, 1, stderr);
  assert(lines[0].startsWith("error: "), stderr);
  const hints = lines.filter((line) => line.startsWith("hint: "));
  assertEquals(hints.length, 1, stderr);
  assertEquals(lines.at(-1), hints[0], stderr);
  assert(!/\n\s+at .*:\d+:\d+/.test(stderr), `a stack trace:\n${stderr}`);
  assertNoControls(stderr);
}

/** Checks that nothing but line breaks controls the terminal: names may be a stranger's. */
export function assertNoControls(text: string): void {
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]/.test(text), JSON.stringify(text));
}
