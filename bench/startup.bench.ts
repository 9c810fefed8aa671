/**
 * From the start of a process to its end, to its first row, or to its first scrape. With them, what
 * others take: Deno with an empty program, bpftool that lists programs, bpftrace with an empty one.
 */

import { kmeterCommand } from "../tests/e2e/kmeter_command.ts";
import { Child, runToEnd, sleep } from "./_child.ts";
import { buildBuiltins, METRICS_AT, runCommand } from "./_kmeter.ts";
import { Producer } from "./_producer.ts";

/** Starts measured of each; the first, with cold caches, is left out. */
const RUNS = { group: "startup", n: 10, warmup: 1 };

await buildBuiltins();
const producer = await Producer.compile();
globalThis.addEventListener("unload", () => producer[Symbol.dispose]());
const empty = Deno.makeTempFileSync({ suffix: ".js" });
globalThis.addEventListener("unload", () => Deno.removeSync(empty));

/** A bench of a command that ends by itself. */
function benchCommand(name: string, command: readonly string[], baseline = false): void {
  Deno.bench(name, { ...RUNS, baseline }, async () => {
    await runToEnd(command);
  });
}

benchCommand("deno run of an empty program", [Deno.execPath(), "run", empty], true);
benchCommand("kmeter version", [...kmeterCommand("version"), "version"]);

Deno.bench("kmeter run trace_exec: first scrape answered", RUNS, async (b) => {
  b.start();
  await using child = new Child(runCommand("trace_exec", ["-o", "none"]));
  const [, url] = await child.waitForLine("stderr", METRICS_AT);
  const response = await fetch(url);
  await response.text();
  b.end();
  if (!response.ok) throw new Error(`status ${response.status}`);
  await child.stop();
});

Deno.bench("kmeter run trace_open: first row", RUNS, async (b) => {
  // An event each ms: what the wait for one adds is small.
  const production = producer.open({ seconds: 1, rate: 1000, threads: 1 });
  await sleep(50);
  b.start();
  await using child = new Child([
    ...[...kmeterCommand("run"), "run", "trace_open"],
    ...["-o", "json", "--fields", "proc.comm", "--comm", "producer"],
  ]);
  await child.waitForLine("stdout", /producer/);
  b.end();
  await child.stop();
  await production;
});

benchCommand("bpftool prog list", ["bpftool", "prog", "list"]);
benchCommand("bpftrace of an empty program", ["bpftrace", "-e", "BEGIN { exit() }"]);
