/** kmeter as a process of its own, as users run it. */

import { kmeterCommand } from "../tests/e2e/kmeter_command.ts";
import { Child, runToEnd, sleep, type StreamName } from "./_child.ts";

const CHECKOUT = new URL("..", import.meta.url).pathname;

/** How a scrape went. */
export interface Scrape {
  readonly seconds: number;
  /** Bytes on the wire. */
  readonly bytes: number;
}

/** Events since the start, from kmeter's own metrics. */
export interface EventTotals {
  readonly received: number;
  readonly lost: number;
  readonly series: number;
}

/** A running gadget with its metrics served. Ownership: `await using` kills it. */
export class Kmeter implements AsyncDisposable {
  readonly child: Child;
  /** URL of the metrics. */
  readonly url: string;

  private constructor(child: Child, url: string) {
    this.child = child;
    this.url = url;
  }

  /** Starts a built-in gadget, or the one in a folder, and waits until it serves its metrics. */
  static async start(
    gadget: string,
    args: readonly string[],
    onLine?: (stream: StreamName, line: string) => void,
  ): Promise<Kmeter> {
    const child = new Child(runCommand(gadget, args), onLine);
    try {
      const [, url] = await child.waitForLine("stderr", METRICS_AT);
      return new Kmeter(child, url);
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Reads the page by curl, which costs less CPU than Deno, and throws it away. */
  async scrape(): Promise<Scrape> {
    const format = "%{time_total} %{size_download}";
    const output = await runToEnd([
      ...["curl", "-sS", "--fail", "--max-time", "60", "-o", "/dev/null", "-w", format],
      this.url,
    ]);
    const [seconds, bytes] = output.split(" ").map(Number);
    return { seconds, bytes };
  }

  /** The page as text. */
  async page(): Promise<string> {
    const response = await fetch(this.url, { headers: { accept: "text/plain" } });
    const text = await response.text();
    if (!response.ok) throw new Error(`status ${response.status}: ${text}`);
    return text;
  }

  async totals(): Promise<EventTotals> {
    const page = await this.page();
    return {
      received: sumOf(page, "kmeter_events_received_total"),
      lost: sumOf(page, "kmeter_events_lost_total"),
      series: sumOf(page, "kmeter_series"),
    };
  }

  /** Totals once `events` more than before have been received or lost. @throws Error if they never come. */
  async totalsAfter(before: EventTotals, events: number): Promise<EventTotals> {
    const deadline = performance.now() + SETTLE_MS;
    for (;;) {
      const totals = await this.totals();
      const seen = totals.received + totals.lost - before.received - before.lost;
      if (seen >= events) return totals;
      if (performance.now() > deadline) throw new Error(`${seen} of ${events} events arrived`);
      await sleep(50);
    }
  }

  /**
   * Scrapes once per interval until `end` settles; a scrape that takes longer delays the next.
   * `onScrape` is called after each.
   */
  async scrapeUntil(
    end: Promise<unknown>,
    { intervalMs, onScrape }: { intervalMs: number; onScrape: (scrape: Scrape) => void },
  ): Promise<void> {
    let isOver = false;
    const setOver = () => {
      isOver = true;
    };
    end.then(setOver, setOver);
    for (let dueMs = performance.now() + intervalMs; !isOver; dueMs += intervalMs) {
      await sleep(Math.max(0, dueMs - performance.now()));
      onScrape(await this.scrape());
    }
  }

  /** Ends it as Ctrl-C would. @throws Error if it does not end well. */
  async stop(): Promise<void> {
    await this.child.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]();
  }
}

/** What kmeter says when the gadget runs. */
export const METRICS_AT = /metrics at (http:\S+)/;
const SETTLE_MS = 10_000;

/** The command that runs a gadget and serves its metrics on a port of the kernel's choice. */
export function runCommand(gadget: string, args: readonly string[]): string[] {
  return [...kmeterCommand("run"), "run", gadget, "--listen=127.0.0.1:0", ...args];
}

/** Sum of a family's samples on a page of metrics. */
export function sumOf(page: string, family: string): number {
  const samples = page.matchAll(new RegExp(`^${family}(?:\\{.*\\})? (\\S+)`, "gm"));
  return [...samples].reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Folder of a test gadget, compiled. */
export async function fixtureFolder(name: string): Promise<string> {
  const folder = `${CHECKOUT}tests/fixtures/gadgets/${name}`;
  await runToEnd([`${CHECKOUT}scripts/build_gadgets`, folder]);
  return folder;
}

/** Compiles the built-in gadgets where that is needed. */
export async function buildBuiltins(): Promise<void> {
  await runToEnd([`${CHECKOUT}scripts/build_gadgets`]);
}
