/** The way of the numbers to the end: events → kmeter → a real Prometheus → PromQL. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { runCase, testWith } from "./cases.ts";
import { runTool, sleep } from "./kmeter_process.ts";
import { PrometheusServer } from "./prometheus_server.ts";
import { ANY_PORT, pageWith, readPage, servedAt } from "./scrape.ts";
import { fixtureGadget, NamedProgram, Sandbox } from "./sandbox.ts";

const OPENMETRICS = "application/openmetrics-text;version=1.0.0";

/** Matches a bucket's edge: OpenMetrics, which Prometheus prefers, writes 3 as 3.0. */
const leIs = (edge: string) => `le=~"${edge}([.]0)?"`;

testWith(
  "Prometheus scrapes events: counters and histograms have the values that were made",
  ["root", "/usr/bin/prometheus"],
  async () => {
    using program = new NamedProgram();
    await runCase({
      name: "events",
      run: [
        "run",
        await fixtureGadget("exec_args"),
        ANY_PORT,
        "-o",
        "none",
        "--annotate",
        "events.count:metrics.type=histogram,events.count:metrics.boundaries=1\\,2\\,4",
      ],
      during: async (kmeter) => {
        const address = await servedAt(kmeter);
        await using prometheus = await PrometheusServer.start(address.replace("http://", ""));
        const labels = `{job="kmeter",otel_scope_name="exec_args/events",name="${program.name}"}`;
        await program.run(3);
        await program.run(2, ["a", "b"]);
        await prometheus.waitForValue(`programs_total${labels}`, 5);
        await prometheus.waitForValue(`arguments_count${labels}`, 5);
        await prometheus.waitForValue(`arguments_sum${labels}`, 9);
        for (const [edge, count] of [["1", 3], ["2", 3], ["4", 5], ["[+]Inf", 5]] as const) {
          const bucket = labels.replace("}", `,${leIs(edge)}}`);
          await prometheus.waitForValue(`arguments_bucket${bucket}`, count);
        }
        await program.run(2);
        await prometheus.waitForValue(`programs_total${labels}`, 7);
        await prometheus.waitForValue('up{job="kmeter"}', 1);
        await prometheus.waitForValue(
          'kmeter_events_lost_total{gadget="exec_args",datasource="events"}',
          0,
        );
        kmeter.kill("SIGTERM");
      },
      expect: { code: 0, stdout: "" },
      timeoutMs: 40_000,
    });
  },
);

testWith(
  "Prometheus scrapes a map: it is read when scraped",
  ["root", "/usr/bin/prometheus"],
  async () => {
    const uid = 50_000 + Math.floor(Math.random() * 10_000);
    const runAsUser = (args: readonly string[]) =>
      runTool(["setpriv", `--reuid=${uid}`, "--clear-groups", "/bin/true", ...args]);
    await runCase({
      name: "map",
      run: ["run", await fixtureGadget("uid_execs"), ANY_PORT, "-o", "none"],
      during: async (kmeter) => {
        const address = await servedAt(kmeter);
        await using prometheus = await PrometheusServer.start(address.replace("http://", ""));
        for (const args of [[], ["a"], ["a", "b", "c"]]) await runAsUser(args);
        const labels = `{uid="${uid}"}`;
        await prometheus.waitForValue(`execs_total${labels}`, 3);
        await prometheus.waitForValue(`last${labels}`, 4);
        await prometheus.waitForValue(`arguments_count${labels}`, 3);
        await prometheus.waitForValue(`arguments_bucket{uid="${uid}",${leIs("3")}}`, 2);
        await prometheus.waitForValue(`arguments_bucket{uid="${uid}",${leIs("7")}}`, 3);
        await prometheus.waitForValue('kmeter_map_max_entries{datasource="mymetrics"}', 1024);
        kmeter.kill("SIGTERM");
      },
      expect: { code: 0, stdout: "" },
      timeoutMs: 40_000,
    });
  },
);

/** `histogram_quantile` of 0.25, 0.5 and 0.95, of native and of classic buckets. */
async function quantilesOf(
  histogram: string,
  { native, classic }: { native: PrometheusServer; classic: PrometheusServer },
): Promise<[native: number, classic: number][]> {
  const pairs: [number, number][] = [];
  for (const quantile of [0.25, 0.5, 0.95]) {
    const ask = async (server: PrometheusServer, series: string) => {
      const samples = await server.query(`histogram_quantile(${quantile}, ${series})`);
      assertEquals(samples.length, 1, series);
      return samples[0].value;
    };
    pairs.push([
      await ask(native, histogram),
      await ask(classic, histogram.replace("{", "_bucket{")),
    ]);
  }
  return pairs;
}

/** Quantiles are apart by no more than the bucket that they are in is wide. */
function assertNear(one: number, other: number, width: number): void {
  assert(Math.abs(one - other) <= width + 1e-9, `${one} and ${other}: apart by more than ${width}`);
}

testWith(
  "Prometheus takes native histograms: one series each, with the quantiles of the classic ones",
  ["root", "/usr/bin/prometheus"],
  async () => {
    using program = new NamedProgram();
    const uid = 50_000 + Math.floor(Math.random() * 10_000);
    const counts = [0, 0, 1, 1, 1, 3, 3, 5, 6, 9];
    const runAll = async () => {
      for (const count of counts) await program.run(1, Array.from({ length: count }, () => "a"));
      for (const count of counts) {
        const args = Array.from({ length: count }, () => "a");
        await runTool(["setpriv", `--reuid=${uid}`, "--clear-groups", "/bin/true", ...args]);
      }
    };
    const scrapeBoth = async (
      gadget: string,
      { annotate, check }: {
        annotate: readonly string[];
        check: (servers: { native: PrometheusServer; classic: PrometheusServer }) => Promise<void>;
      },
    ) => {
      await runCase({
        name: gadget,
        run: ["run", await fixtureGadget(gadget), ANY_PORT, "-o", "none", ...annotate],
        during: async (kmeter) => {
          const target = (await servedAt(kmeter)).replace("http://", "");
          await using native = await PrometheusServer.start(target, {
            features: ["native-histograms", "exemplar-storage"],
          });
          await using classic = await PrometheusServer.start(target);
          await runAll();
          await check({ native, classic });
          kmeter.kill("SIGTERM");
        },
        expect: { code: 0, stdout: "" },
        timeoutMs: 60_000,
      });
    };

    // Slots that the kernel counts: argc is one more than the arguments.
    await scrapeBoth("uid_execs", {
      annotate: [],
      check: async (servers) => {
        const { native, classic } = servers;
        const labels = `{uid="${uid}"}`;
        await native.waitForValue(`histogram_count(arguments${labels})`, counts.length);
        await classic.waitForValue(`arguments_count${labels}`, counts.length);
        for (const [one, other] of await quantilesOf(`arguments${labels}`, servers)) {
          // The classic bucket up to 2^n - 1 is the native one up to 2^n.
          assertNear(one, other, 2 ** Math.ceil(Math.log2(other + 1)) / 2);
        }
        await native.waitForValue(`count({__name__=~"arguments.*",uid="${uid}"})`, 1);
        await classic.waitForValue(`count({__name__=~"arguments.*",uid="${uid}"})`, 10);
        await native.waitForValue(`execs_total${labels}`, counts.length);
        await native.waitForValue('kmeter_map_max_entries{datasource="mymetrics"}', 1024);
      },
    });
    // Events that kmeter counts, in buckets of a schema.
    await scrapeBoth("exec_args", {
      annotate: [
        "--annotate",
        "events.count:metrics.type=histogram,events.count:metrics.boundaries=schema 2 from 1 to 16",
        "--annotate=events:metrics.exemplar=count",
      ],
      check: async (servers) => {
        const { native, classic } = servers;
        const labels = `{name="${program.name}"}`;
        await native.waitForValue(`histogram_count(arguments${labels})`, counts.length);
        await classic.waitForValue(`arguments_count${labels}`, counts.length);
        const sum = counts.reduce((total, count) => total + count + 1, 0);
        await native.waitForValue(`histogram_sum(arguments${labels})`, sum);
        for (const [one, other] of await quantilesOf(`arguments${labels}`, servers)) {
          assertNear(one, other, other * (2 ** 0.25 - 1));
        }
        const exemplars = await native.exemplars(`arguments${labels}`);
        const known = counts.map((count) => String(count + 1));
        assertEquals(exemplars.filter(({ count }) => !known.includes(count)), []);
      },
    });
  },
);

const READ_OPENMETRICS = `import json,sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read
print(json.dumps([[f.name, f.type, f.unit, [[s.name, s.labels, s.value,
                                            s.exemplar and [s.exemplar.labels, s.exemplar.value]]
                                           for s in f.samples]]
                  for f in read(open(sys.argv[1]).read())]))`;

type ParsedFamily = readonly [
  name: string,
  type: string,
  unit: string,
  samples: readonly (readonly [
    name: string,
    labels: Record<string, string>,
    value: number,
    exemplar: readonly [labels: Record<string, string>, value: number] | null,
  ])[],
];

testWith(
  "both text formats are what promtool and Prometheus' python client read",
  ["root", "/usr/bin/promtool", "/usr/lib/python3/dist-packages/prometheus_client"],
  async () => {
    using program = new NamedProgram();
    using sandbox = new Sandbox();
    await runCase({
      name: "formats",
      run: [
        "run",
        "trace_exec",
        ANY_PORT,
        "-o",
        "none",
        "--openmetrics-created",
        "--annotate=exec:metrics.exemplar=proc.pid",
      ],
      during: async (kmeter) => {
        const address = await servedAt(kmeter);
        await program.run(2);
        const text = await pageWith(address, (page) => page.includes(program.name));
        const file = sandbox.write("page", text);
        await runTool(["bash", "-c", `/usr/bin/promtool check metrics < ${file}`]);

        const openmetrics = sandbox.write("openmetrics", await readPage(address, OPENMETRICS));
        const { stdout } = await runTool(["/usr/bin/python3", "-c", READ_OPENMETRICS, openmetrics]);
        const families: ParsedFamily[] = JSON.parse(stdout);
        const execs = families.find(([name]) => name === "execs");
        assertEquals(execs?.[1], "counter");
        const samples = execs?.[3].filter(([, labels]) => labels.comm === program.name);
        assertEquals(samples?.map(([name]) => name), ["execs_total", "execs_created"]);
        const [[, , count, exemplar], [, , created]] = samples ?? [];
        assertEquals(count, 2);
        assertMatch(exemplar?.[0].proc_pid ?? "", /^\d+$/);
        assertEquals(exemplar?.[1], 1);
        const ageSeconds = Date.now() / 1000 - created;
        assert(ageSeconds > 0 && ageSeconds < 600, `created ${ageSeconds} s ago`);
        assert(
          families.some(([name]) => name === "kmeter_build_info"),
          "own metrics are there too",
        );
        kmeter.kill("SIGTERM");
      },
      expect: { code: 0, stdout: "" },
      timeoutMs: 20_000,
    });
  },
);

testWith("the server answers what it has, and says no to the rest", ["root"], async () => {
  await runCase({
    name: "http",
    run: ["run", "trace_exec", ANY_PORT, "-o", "none"],
    during: async (kmeter) => {
      const address = await servedAt(kmeter);
      const cases = [
        ["GET", "/healthz", 200, /^ok\n$/, /^text\/plain/],
        ["GET", "/", 200, /trace_exec\/exec.*execs_total/, /^text\/html/],
        ["GET", "/metrics", 200, /^# HELP /, /^text\/plain; version=0\.0\.4/],
        ["GET", "/metrics?x=1", 200, /^# HELP /, /^text\/plain; version=0\.0\.4/],
        ["HEAD", "/metrics", 200, /^$/, /^text\/plain; version=0\.0\.4/],
        [
          "GET",
          "/metric",
          404,
          /metrics are at \/metrics, a page for people at \/\n/,
          /^text\/plain/,
        ],
        ["POST", "/metrics", 405, /method not allowed/, /^text\/plain/],
        ["DELETE", "/", 405, /method not allowed/, /^text\/plain/],
      ] as const;
      for (const [method, path, status, body, type] of cases) {
        const response = await fetch(address + path, { method });
        assertEquals(response.status, status, `${method} ${path}`);
        assertMatch(await response.text(), body, `${method} ${path}`);
        assertMatch(response.headers.get("content-type") ?? "", type, `${method} ${path}`);
      }
      const response = await fetch(`${address}/metrics`, { headers: { accept: OPENMETRICS } });
      assertMatch(response.headers.get("content-type") ?? "", /^application\/openmetrics-text/);
      assertMatch(await response.text(), /\n# EOF\n$/);
      kmeter.kill("SIGTERM");
    },
    expect: { code: 0, stdout: "" },
  });
});

testWith("a scrape that is under way does not keep kmeter from ending", ["root"], async () => {
  await runCase({
    name: "open connection",
    run: ["run", "trace_exec", ANY_PORT, "-o", "none"],
    during: async (kmeter) => {
      const address = new URL(await servedAt(kmeter));
      // A client that begins a request and never ends it.
      using connection = await Deno.connect({
        hostname: address.hostname,
        port: Number(address.port),
      });
      await connection.write(new TextEncoder().encode("GET /metrics HTTP/1.1\r\nHost: x\r\n"));
      await sleep(100);
      kmeter.kill("SIGTERM");
      for (let waitedMs = 0; waitedMs < 4000 && !kmeter.hasEnded; waitedMs += 100) await sleep(100);
      assert(kmeter.hasEnded, "it waits for the client");
    },
    expect: { code: 0, stdout: "" },
  });
});
