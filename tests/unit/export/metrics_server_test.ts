// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import { KernelError, UsageError } from "../../../src/errors.ts";
import { Exposition, OwnMetrics, startMetricsServer } from "../../../src/export/mod.ts";
import { createMetricsHandler } from "../../../src/export/metrics_handler.ts";
import { integers, singleSet } from "./_fake_metric_set.ts";

const OPEN = "application/openmetrics-text";

async function page(seriesCount: number) {
  const rows = Array.from({ length: seriesCount }, (_, row) => [String(row)]);
  const column = integers(rows.map((_, row) => BigInt(row)));
  const exposition = new Exposition();
  exposition.add(singleSet("g/d", { rows, instrument: { type: "counter", name: "c", column } }));
  const ownMetrics = await OwnMetrics.load({ buildInfo: { version: "1", deno: "2", libbpf: "3" } });
  const errors: string[] = [];
  return {
    exposition,
    ownMetrics,
    errors,
    landing: () => ({
      version: "0.1.0",
      sources: [{ scope: "g/<d>", description: "D & co.", metrics: ["c_total"] }],
    }),
    onError: (error: unknown) => {
      errors.push((error as Error).message);
    },
  };
}

type Page = Awaited<ReturnType<typeof page>>;
type Extra = Partial<Parameters<typeof createMetricsHandler>[0]>;

/** Answers one request without a socket. */
async function ask(
  made: Page,
  path: string,
  options: RequestInit & { peer?: string } & Extra = {},
) {
  const { peer = "127.0.0.1", beforeScrape, health, ...init } = options;
  const handler = createMetricsHandler({ ...made, beforeScrape, health });
  const remoteAddr = { transport: "tcp", hostname: peer, port: 1 } as const;
  return await handler(new Request(`http://kmeter${path}`, init), { remoteAddr });
}

Deno.test("/metrics answers in the format asked for, with the content type Prometheus demands", async () => {
  const made = await page(1);
  const text = await ask(made, "/metrics?x=1");
  assertEquals(text.status, 200);
  assertEquals(text.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const body = await text.text();
  assert(body.startsWith("# HELP c_total ") && body.includes("\nkmeter_build_info{"));

  const open = await ask(made, "/metrics", { headers: { accept: OPEN } });
  assertEquals(
    open.headers.get("content-type"),
    `${OPEN}; version=1.0.0; charset=utf-8; escaping=underscores`,
  );
  assert((await open.text()).endsWith("\n# EOF\n"));
});

Deno.test("paths and methods", async () => {
  const made = await page(1);
  const rows: [method: string, path: string, status: number, body: RegExp][] = [
    ["GET", "/", 200, /<strong>g\/&lt;d&gt;<\/strong>: D &amp; co\.<br><code>c_total<\/code>/],
    ["GET", "/healthz", 200, /^ok\n$/],
    ["GET", "/nothing", 404, /metrics/],
    ["GET", "/metrics/", 404, /metrics/],
    ["POST", "/metrics", 405, /not allowed/],
    ["DELETE", "/nothing", 405, /not allowed/],
    ["HEAD", "/", 200, /^$/],
    ["HEAD", "/healthz", 200, /^$/],
    ["HEAD", "/metrics", 200, /^$/],
    ["HEAD", "/nothing", 404, /^$/],
  ];
  for (const [method, path, status, body] of rows) {
    const response = await ask(made, path, { method });
    assertEquals([method, path, response.status], [method, path, status]);
    const text = await response.text();
    assert(body.test(text), `${method} ${path}: ${text}`);
    if (status === 405) assertEquals(response.headers.get("allow"), "GET, HEAD");
  }
});

Deno.test("/healthz gives the reason when kmeter is not healthy", async () => {
  const response = await ask(await page(1), "/healthz", { health: () => "no program attached" });
  assertEquals([response.status, await response.text()], [503, "no program attached\n"]);
});

Deno.test("HEAD does not read the sources", async () => {
  let reads = 0;
  await ask(await page(1), "/metrics", { method: "HEAD", beforeScrape: () => void reads++ });
  assertEquals(reads, 0);
});

Deno.test("sources that cannot be refreshed are counted, and the page still goes out", async () => {
  const made = await page(1);
  const beforeScrape = () => Promise.reject(new Error("map is gone"));
  const response = await ask(made, "/metrics", { beforeScrape });
  const body = await response.text();
  assertEquals(response.status, 200);
  assert(
    body.includes('kmeter_scrape_errors_total{stage="refresh"} 1\n') && body.includes("c_total{"),
  );
  assertEquals(made.errors, ["map is gone"]);
});

Deno.test("scrapes at the same time share one refresh, later ones get their own", async () => {
  const made = await page(1);
  let refreshes = 0;
  const gate = Promise.withResolvers<void>();
  const handler = createMetricsHandler({
    ...made,
    beforeScrape: () => {
      refreshes++;
      return gate.promise;
    },
  });
  const remoteAddr = { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const;
  const scrape = async (accept: string) => {
    const request = new Request("http://kmeter/metrics", { headers: { accept } });
    return await (await handler(request, { remoteAddr })).text();
  };
  const pages = ["", OPEN, ""].map(scrape);
  gate.resolve();
  const [first, , third] = await Promise.all(pages);
  assertEquals(refreshes, 1);
  assert(first.includes("c_total{") && third.includes("c_total{"));
  await scrape("");
  assertEquals(refreshes, 2);
});

Deno.test("gzip is for large pages to other hosts that ask for it", async () => {
  const [small, large] = [await page(1), await page(5000)];
  const rows: [what: string, made: Page, peer: string, encoding: string, want: string | null][] = [
    ["large, remote", large, "192.0.2.1", "gzip", "gzip"],
    ["large, remote IPv6", large, "2001:db8::1", "gzip", "gzip"],
    ["large, loopback", large, "127.0.0.9", "gzip", null],
    ["large, loopback IPv6", large, "::1", "gzip", null],
    ["large, mapped loopback", large, "::ffff:127.0.0.1", "gzip", null],
    ["large, not asked for", large, "192.0.2.1", "identity", null],
    ["small, remote", small, "192.0.2.1", "gzip", null],
  ];
  for (const [what, made, peer, encoding, want] of rows) {
    const response = await ask(made, "/metrics", {
      peer,
      headers: { "accept-encoding": encoding },
    });
    assertEquals([what, response.headers.get("content-encoding")], [what, want]);
    assert(response.body !== null);
    const body = want === null
      ? response.body
      : response.body.pipeThrough(new DecompressionStream("gzip"));
    const text = await new Response(body).text();
    assertEquals(text.match(/^c_total\{/gm)?.length, made === large ? 5000 : 1);
    assert(text.includes("\nkmeter_build_info{"));
  }
});

Deno.test("a client that leaves early does not disturb the next", async () => {
  const made = await page(20_000);
  for (const encoding of ["identity", "gzip"]) {
    const headers = { "accept-encoding": encoding };
    const response = await ask(made, "/metrics", { peer: "192.0.2.1", headers });
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
  }
  const body = await (await ask(made, "/metrics")).text();
  assertEquals(body.match(/^c_total\{/gm)?.length, 20_000);
  assertEquals(made.errors, []);
});

Deno.test("a page that breaks is cut off, reported and counted", async () => {
  const made = await page(1);
  made.exposition.render = function* () {
    yield new TextEncoder().encode("c_total 1\n");
    throw new Error("BUG: half a page");
  };
  const response = await ask(made, "/metrics");
  const failure = await response.text().catch((error: Error) => error.message);
  assertEquals(failure, "BUG: half a page");
  assertEquals(made.errors, ["BUG: half a page"]);
});

Deno.test("the server serves over a socket, whole pages to each of several clients, until shut down", async () => {
  const made = await page(20_000);
  const server = startMetricsServer({ ...made, hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = server.addr;
  const bodies = await Promise.all([1, 2, 3].map(async () => {
    return await (await fetch(`http://${hostname}:${port}/metrics`)).text();
  }));
  for (const body of bodies) assertEquals(body.match(/^c_total\{/gm)?.length, 20_000);
  const after = await (await fetch(`http://${hostname}:${port}/metrics`)).text();
  assert(Number(/^kmeter_scrape_duration_seconds (\S+)$/m.exec(after)?.[1]) > 0);

  await Promise.all([server.shutdown(), server.shutdown()]);
  const refused = await fetch(`http://${hostname}:${port}/metrics`).catch((error) => error);
  assert(refused instanceof TypeError);
  startMetricsServer({ ...made, hostname, port }).shutdown();
});

Deno.test("a client that does not read cannot hold up the shutdown", async () => {
  const made = await page(100_000);
  const server = startMetricsServer({ ...made, hostname: "127.0.0.1", port: 0 });
  const client = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  await client.write(new TextEncoder().encode("GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n"));
  await client.read(new Uint8Array(100));
  const startMs = performance.now();
  await server.shutdown();
  assert(performance.now() - startMs < 3000);
  client.close();
});

Deno.test("an address that cannot be had is an error that says which and what to do", async () => {
  const made = await page(1);
  const taken = startMetricsServer({ ...made, hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const inUse = assertThrows(
    () => startMetricsServer({ ...made, hostname: "127.0.0.1", port }),
    KernelError,
    `Cannot serve metrics on 127.0.0.1:${port}: EADDRINUSE from bind`,
  );
  assertEquals([inUse.errno, inUse.hint?.includes("--listen")], [98, true]);
  await taken.shutdown();

  const foreign = assertThrows(
    () => startMetricsServer({ ...made, hostname: "192.0.2.1", port: 0 }),
    KernelError,
    "192.0.2.1:0: EADDRNOTAVAIL",
  );
  assertEquals(foreign.errno, 99);
  assertThrows(
    () => startMetricsServer({ ...made, hostname: "no such host", port: 0 }),
    UsageError,
    "no such host",
  );
});
