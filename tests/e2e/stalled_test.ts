/** A thread that no longer counts is seen by the next scrape, and keeps nobody from ending kmeter. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { testWith } from "./cases.ts";
import { assertNothingLeft, listKernelObjects } from "./kernel_objects.ts";
import { HttpReceiver } from "./otlp_receiver.ts";
import { startKmeter } from "./kmeter_process.ts";
import { ANY_PORT, readPage, samplesOf, servedAt } from "./scrape.ts";

/** Backtracks for longer than anybody waits when the name is forty letters long and does not match. */
const SLOW_PATTERN = "^/tmp/kmeter_stall_(a+)+$";
const SLOW_NAME = `/tmp/kmeter_stall_${"a".repeat(40)}b`;

testWith(
  "a stuck thread is seen within one scrape, and SIGTERM ends kmeter",
  ["root"],
  async () => {
    const before = await listKernelObjects();
    await using collector = new HttpReceiver();
    {
      await using kmeter = startKmeter([
        ...["run", "trace_open", "-o", "none", "--filter", `fname~${SLOW_PATTERN}`, ANY_PORT],
        ...["--otel-metrics-exporter", "a", "--otel-exporter", "a.exporter=otlp-http"],
        ...["--otel-exporter", `a.endpoint=${collector.url}`, "--otel-exporter", "a.interval=1h"],
      ]);
      const address = await servedAt(kmeter);
      const consumer = async () => samplesOf(await readPage(address), "kmeter_consumer_up");
      assertEquals(await consumer(), ['kmeter_consumer_up{gadget="trace_open"} 1']);
      openMissing(SLOW_NAME);
      assertEquals(await consumer(), ['kmeter_consumer_up{gadget="trace_open"} 0']);
      kmeter.kill("SIGTERM");
      const { code, stderr } = await kmeter.finish({ timeoutMs: 20_000 });
      assertEquals(code, 1);
      assertMatch(stderr, /^warning: events wait to be counted for over a second: /m);
      assertMatch(stderr, /^error: Cannot count what is left: ETIMEDOUT, .*\nhint: a --filter /m);
      assertEquals(collector.received.requests.length, 1, "what was counted is pushed");
    }
    await assertNothingLeft(before);
  },
);

/** Opens a file that is not there. */
function openMissing(path: string): void {
  try {
    Deno.openSync(path).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return;
  }
  throw new Error(`${path} is there`);
}
