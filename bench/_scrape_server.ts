/**
 * Serves counters like kmeter does, in a process of its own. Arguments: number of series.
 *
 * Prints its port, then answers each line with what happened since the line before, as JSON. Ends with
 * its input.
 */
// deno-lint-ignore-file no-console -- its output is what it is for

import { Exposition, OwnMetrics } from "../src/export/mod.ts";
import { createMetricsHandler } from "../src/export/metrics_handler.ts";
import { serveHandler } from "../src/export/metrics_server.ts";
import { counterSet } from "./_scrape_sets.ts";

/** What the process tells of itself. */
export interface ServerReport {
  /** Longest time that nothing else had a turn on the main thread. */
  readonly longestStretchMs: number;
  readonly residentMb: number;
}

async function serve(seriesCount: number): Promise<void> {
  const ownMetrics = await OwnMetrics.load({
    buildInfo: { version: "bench", deno: Deno.version.deno, libbpf: "none" },
  });
  const exposition = new Exposition({ registry: ownMetrics.families });
  exposition.add(counterSet(seriesCount));
  const handler = createMetricsHandler({
    exposition,
    ownMetrics,
    status: () => Promise.reject(new Error("nobody asks")),
    landing: () => ({ version: "bench", sources: [] }),
    onError: (error) => console.error(error),
  });
  // A client elsewhere: over loopback nothing is compressed.
  const remoteAddr = { transport: "tcp", hostname: "192.0.2.1", port: 1 } as const;
  const server = serveHandler({
    handle: (request) => handler.handle(request, { remoteAddr }),
    close: () => handler.close(),
  }, {
    hostname: "127.0.0.1",
    port: 0,
    onError: (error) => console.error(error),
    onCut: (reason) => console.error(`a connection was cut: ${reason}`),
  });
  console.log(server.addr.port);
  const watch = new StretchWatch();
  for await (const _ of Deno.stdin.readable) {
    const report: ServerReport = {
      longestStretchMs: watch.takeLongest(),
      residentMb: Deno.memoryUsage().rss / 1e6,
    };
    console.log(JSON.stringify(report));
  }
  watch.close();
  await server.shutdown();
}

/**
 * Measures how long the event loop is away: a timer that is due every millisecond comes that late. Time
 * that the thread waited for a CPU, which other processes had, is not its own.
 */
class StretchWatch {
  #lastMs = performance.now();
  #lastWaitMs = waitedForCpuMs();
  #longestMs = 0;
  readonly #timer = setInterval(() => {
    const nowMs = performance.now();
    const waitMs = waitedForCpuMs();
    const stretchMs = nowMs - this.#lastMs - (waitMs - this.#lastWaitMs);
    this.#longestMs = Math.max(this.#longestMs, stretchMs);
    this.#lastMs = nowMs;
    this.#lastWaitMs = waitMs;
  }, 1);

  takeLongest(): number {
    const longest = this.#longestMs;
    this.#longestMs = 0;
    return longest;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** Time that the main thread was ready to run and did not; the second number of schedstat, in ns. */
function waitedForCpuMs(): number {
  return Number(Deno.readTextFileSync("/proc/self/schedstat").split(" ")[1]) / 1e6;
}

if (import.meta.main) await serve(Number(Deno.args[0]));
