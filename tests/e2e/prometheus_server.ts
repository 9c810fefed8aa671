/** A Prometheus of the test's own: its port, its folder, its end. */

import { ChildProcess, sleep } from "./kmeter_process.ts";
import { Sandbox } from "./sandbox.ts";

const START_TIMEOUT_MS = 20_000;

/** One sample of a PromQL result. */
export interface PromSample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A running Prometheus that scrapes one address each second. Ownership: `await using`. */
export class PrometheusServer implements AsyncDisposable {
  readonly #sandbox: Sandbox;
  readonly #process: ChildProcess;
  readonly #url: string;

  /**
   * @param targets each a `host:port` to scrape.
   * @param options.settings more of the scrape configuration, each as one line of YAML.
   * @param options.features what `--enable-feature` switches on.
   */
  static async start(
    targets: string | readonly string[],
    { settings = [], features = [] }: {
      settings?: readonly string[];
      features?: readonly string[];
    } = {},
  ): Promise<PrometheusServer> {
    const sandbox = new Sandbox();
    const config = sandbox.write(
      "prometheus.yml",
      `global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: kmeter\n    static_configs: [{targets: ${
        JSON.stringify([targets].flat())
      }}]\n` +
        settings.map((line) => `    ${line}\n`).join(""),
    );
    const port = freePort();
    const process = new ChildProcess([
      "/usr/bin/prometheus",
      `--config.file=${config}`,
      `--storage.tsdb.path=${sandbox.path("data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      ...features.map((feature) => `--enable-feature=${feature}`),
    ]);
    const server = new PrometheusServer({ sandbox, process, url: `http://127.0.0.1:${port}` });
    await process.waitFor("stderr", /Server is ready/, { timeoutMs: START_TIMEOUT_MS });
    return server;
  }

  private constructor(parts: { sandbox: Sandbox; process: ChildProcess; url: string }) {
    this.#sandbox = parts.sandbox;
    this.#process = parts.process;
    this.#url = parts.url;
  }

  /** Result of an instant query. */
  async query(promql: string): Promise<PromSample[]> {
    const body = new URLSearchParams({ query: promql });
    const response = await fetch(`${this.#url}/api/v1/query`, { method: "POST", body });
    const answer = await response.json();
    if (answer.status !== "success") throw new Error(`${promql}: ${JSON.stringify(answer)}`);
    const result: { metric: Record<string, string>; value: [number, string] }[] =
      answer.data.result;
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** Labels of the exemplars of the last hour, asked again until there are some. */
  async exemplars(promql: string): Promise<Record<string, string>[]> {
    for (let attempt = 0; attempt < 50; attempt++) {
      const now = Date.now() / 1000;
      const body = new URLSearchParams({
        query: promql,
        start: String(now - 3600),
        end: String(now + 60),
      });
      const response = await fetch(`${this.#url}/api/v1/query_exemplars`, { method: "POST", body });
      const { data }: { data: { exemplars: { labels: Record<string, string> }[] }[] } =
        await response.json();
      const found = data.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels));
      if (found.length > 0) return found;
      await sleep(200);
    }
    throw new Error(`${promql} never had an exemplar`);
  }

  /** Asks again until the only sample has the value. Throws: Error with the last answer. */
  async waitForValue(promql: string, value: number): Promise<void> {
    let samples: PromSample[] = [];
    for (let attempt = 0; attempt < 50; attempt++) {
      samples = await this.query(promql);
      if (samples.length === 1 && samples[0].value === value) return;
      await sleep(200);
    }
    throw new Error(`${promql} never was ${value}: ${JSON.stringify(samples)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    this.#sandbox[Symbol.dispose]();
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
