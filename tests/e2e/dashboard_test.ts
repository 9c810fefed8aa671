/** Dashboards: a real Prometheus evaluates every query, with data of gadgets that run. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import type { Dashboard } from "../../src/dashboard/mod.ts";
import { builtinNames } from "../../src/engine/mod.ts";
import { runCase, testCases, testWith } from "./cases.ts";
import { sleep, startKmeter } from "./kmeter_process.ts";
import { PrometheusServer } from "./prometheus_server.ts";
import { ANY_PORT, servedAt } from "./scrape.ts";
import { fixtureGadget, NamedProgram } from "./sandbox.ts";

const DEADLINE_MS = 40_000;
/** What Grafana puts in the place of its variables. */
const VARIABLES: readonly (readonly [name: string, value: string])[] = [
  ["$__rate_interval", "30s"],
  ["$__range", "5m"],
  ["$job", ".+"],
  ["$instance", ".+"],
  ["$top", "10"],
];

async function dashboardOf(args: readonly string[]): Promise<Dashboard> {
  await using kmeter = startKmeter(["dashboard", ...args]);
  const { code, stdout, stderr } = await kmeter.finish({ timeoutMs: 10_000 });
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

function queriesOf(dashboard: Dashboard): string[] {
  return dashboard.panels.flatMap(({ targets }) =>
    targets.map(({ expr }) =>
      VARIABLES.reduce((text, [name, value]) => text.replaceAll(name, value), expr)
    )
  );
}

/** Connects to a server and closes the connection again. */
async function connect(prometheusTarget: string): Promise<void> {
  const [hostname, port] = prometheusTarget.split(":");
  (await Deno.connect({ hostname, port: Number(port) })).close();
}

testWith(
  "every query of a dashboard has data once the gadget has some; none is refused for any gadget",
  ["root", "/usr/bin/prometheus"],
  async () => {
    using program = new NamedProgram();
    const gauges = await fixtureGadget("uid_execs");
    const named = ["--otel-metrics-name", '$job "x"', "--metrics-prefix", "my"];
    const runs = [["trace_tcp"], ["top_syscalls"], ["profile_runqlat"], [gauges, ...named]];
    await runCase({
      name: "trace_exec",
      run: ["run", "trace_exec", ANY_PORT, "-o", "none"],
      during: async (first) => {
        await using others = new AsyncDisposableStack();
        const kmeters = [
          first,
          ...runs.map((args) => others.use(startKmeter(["run", ...args, ANY_PORT, "-o", "none"]))),
        ];
        const addresses = await Promise.all(kmeters.map(servedAt));
        const targets = addresses.map((address) => address.replace("http://", ""));
        await using prometheus = await PrometheusServer.start(targets);
        const dashboards = await Promise.all([["trace_exec"], ...runs].map(dashboardOf));
        let waiting = dashboards.flatMap(queriesOf);
        assert(waiting.length > 40);
        const deadlineMs = performance.now() + DEADLINE_MS;
        while (waiting.length > 0) {
          assert(performance.now() < deadlineMs, `without data:\n${waiting.join("\n")}`);
          await program.run(2);
          await connect(targets[0]);
          const answers = await Promise.all(waiting.map((query) => prometheus.query(query)));
          waiting = waiting.filter((_, index) =>
            !answers[index].some(({ value }) => Number.isFinite(value))
          );
          await sleep(500);
        }
        const rest = builtinNames().filter((name) => !runs.flat().includes(name));
        for (const dashboard of await Promise.all(rest.map((name) => dashboardOf([name])))) {
          await Promise.all(queriesOf(dashboard).map((query) => prometheus.query(query)));
        }
        first.kill("SIGTERM");
      },
      expect: { code: 0, stdout: "" },
      timeoutMs: 60_000,
    });
  },
);

testCases([
  {
    name: "a gadget without metrics has no dashboard",
    run: ["dashboard", "trace_exec", "--annotate", "exec:metrics.collect=false"],
    expect: {
      code: 2,
      stdout: "",
      stderr: /^error: Cannot make a dashboard of "trace_exec": .*\nhint: annotate/,
    },
  },
  {
    name: "a dashboard is of one gadget",
    run: ["dashboard", "trace_exec", "trace_open"],
    expect: { code: 2, stdout: "", stderr: /^error: kmeter dashboard takes one gadget/ },
  },
]);
