/**
 * The wall clock is set while kmeter runs: by libfaketime, for kmeter only. Its HTTP server writes the date that
 * kmeter sees into every answer, which shows that the clock did jump.
 */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { testWith } from "./cases.ts";
import { assertNothingLeft, listKernelObjects } from "./kernel_objects.ts";
import { CHECKOUT } from "./kmeter_command.ts";
import { type ChildProcess, runTool, sleep, startKmeter } from "./kmeter_process.ts";
import { ANY_PORT, pageWith, readPage, samplesOf, servedAt } from "./scrape.ts";
import { fixtureGadget, NamedProgram, Sandbox } from "./sandbox.ts";

const LIBFAKETIME = `/usr/lib/${Deno.build.arch}-linux-gnu/faketime/libfaketimeMT.so.1` as const;
const DAY_MS = 86_400_000;
/** The clocks are compared once a second of events. */
const OFFSET_AGE_MS = 1100;

/** A wall clock that can be set, for programs that are started with its environment. */
class FakeClock implements Disposable {
  readonly env: Readonly<Record<string, string>>;
  readonly #sandbox = new Sandbox();
  readonly #file = this.#sandbox.path("offset");

  private constructor() {
    this.set(0);
    this.env = {
      LD_PRELOAD: `${LIBFAKETIME}:${this.#library}`,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  static async make(): Promise<FakeClock> {
    const clock = new FakeClock();
    const source = `${CHECKOUT}/tests/e2e/fake_dlsym.c`;
    await runTool(["cc", "-Wall", "-Werror", "-shared", "-fPIC", "-o", clock.#library, source]);
    return clock;
  }

  get #library(): string {
    return this.#sandbox.path("fake_dlsym.so");
  }

  /** Sets the clock so far from the machine's. Whole, so that nobody reads half of it. */
  set(days: number): void {
    const offset = `${days < 0 ? "" : "+"}${days * DAY_MS / 1000}\n`;
    Deno.renameSync(this.#sandbox.write("next", offset), this.#file);
  }

  [Symbol.dispose](): void {
    this.#sandbox[Symbol.dispose]();
  }
}

testWith(
  "jumps of the wall clock change timestamps and nothing else",
  ["root", LIBFAKETIME, "/usr/bin/cc"],
  async () => {
    const before = await listKernelObjects();
    using clock = await FakeClock.make();
    using program = new NamedProgram();
    {
      await using kmeter = startKmeter([
        ...["run", "trace_exec", "-o", "json", ANY_PORT, "-F", `proc.comm==${program.name}`],
        ...["--annotate", "exec:metrics.ttl=1m"],
      ], { env: clock.env });
      const address = await servedAt(kmeter);
      let runs = 0;
      for (const days of [0, 1, -1]) {
        clock.set(days);
        await sleep(OFFSET_AGE_MS);
        await program.run(5);
        runs += 5;
        await pageWith(address, (page) => countOf(page) === runs);
        const page = await readPage(address);
        assertEquals(unusualSamples(page), []);
        assertEquals(samplesOf(page, "kmeter_events_lost_total").map(valueOf), [0]);
        await kmeter.waitFor("stdout", new RegExp(`^(?:[^\\n]*\\n){${runs}}`));
        const rows = rowsOf(kmeter);
        assertEquals(rows.length, runs);
        for (const { timestamp } of rows.slice(-5)) {
          const offMs = Date.parse(timestamp) - Date.now() - days * DAY_MS;
          assert(
            Math.abs(offMs) < DAY_MS / 24,
            `${timestamp}, the clock being set by ${days} days`,
          );
        }
        // hyper keeps its text of the date until the clock has passed it.
        if (days > 0) await assertDate(address, days);
      }
      kmeter.kill("SIGTERM");
      assertEquals((await kmeter.finish()).code, 0);
    }
    await assertNothingLeft(before);
  },
);

testWith(
  "schedules, life of series and --timeout go by a clock that nobody sets",
  ["root", LIBFAKETIME, "/usr/bin/cc"],
  async () => {
    const before = await listKernelObjects();
    using clock = await FakeClock.make();
    using program = new NamedProgram();
    {
      const startMs = performance.now();
      await using tables = startKmeter([
        ...["run", await fixtureGadget("uid_execs"), "-o", "json"],
        ...["--map-fetch-interval", "100ms", "--timeout", "7"],
      ], { env: clock.env });
      await using kmeter = startKmeter([
        ...["run", "trace_exec", "-o", "none", ANY_PORT, "-F", `proc.comm==${program.name}`],
        ...["--annotate", "exec:metrics.ttl=2s"],
      ], { env: clock.env });
      const address = await servedAt(kmeter);
      await tables.waitFor("stdout", /\n/);
      for (const days of [1, -1]) {
        clock.set(days);
        const read = tables.stdout.length;
        await tables.waitFor("stdout", new RegExp(`^[^]{${read}}[^]*\\n`));
      }
      for (const days of [1, -1]) {
        clock.set(days);
        await program.run(1);
        await pageWith(address, (page) => countOf(page) === 1);
        await pageWith(address, (page) => countOf(page) === undefined);
      }
      const { code } = await tables.finish({ timeoutMs: 30_000 });
      assertEquals(code, 0);
      assert(performance.now() - startMs >= 7000, "the timeout came too soon");
    }
    await assertNothingLeft(before);
  },
);

/** How often the program was started, as the page has it; undefined for no series. */
function countOf(page: string): number | undefined {
  const [sample] = samplesOf(page, "execs_total");
  return sample === undefined ? undefined : valueOf(sample);
}

function valueOf(sample: string): number {
  return Number(sample.slice(sample.lastIndexOf(" ") + 1));
}

/** Samples that no clock should make: negative ones and NaN. */
function unusualSamples(page: string): string[] {
  return page.split("\n").filter((line) => / (?:-|NaN)/.test(line) && !line.startsWith("#"));
}

function rowsOf(kmeter: ChildProcess): { timestamp: string }[] {
  return kmeter.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
}

async function assertDate(address: string, days: number): Promise<void> {
  const response = await fetch(address);
  await response.body?.cancel();
  const offMs = Date.parse(response.headers.get("date") ?? "") - Date.now() - days * DAY_MS;
  assert(Math.abs(offMs) < DAY_MS / 24, `the server's date is ${response.headers.get("date")}`);
}
