// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import { KernelError, UsageError } from "../../../src/errors.ts";
import { Exposition, OwnMetrics, startMetricsServer } from "../../../src/export/mod.ts";
import {
  createMetricsHandler,
  type MetricsHandler,
  type MetricsHandlerOptions,
} from "../../../src/export/metrics_handler.ts";
import { integers, singleSet } from "./fake_metric_set.ts";

const OPEN = "application/openmetrics-text";
const REMOTE = "192.0.2.1";
const COUNTER_LINES = /^c_total\{/gm;

async function page(seriesCount: number) {
  const rows = Array.from({ length: seriesCount }, (_, row) => [String(row)]);
  const column = integers(rows.map((_, row) => BigInt(row)));
  const exposition = new Exposition();
  exposition.add(singleSet("g/d", { rows, instrument: { type: "counter", name: "c", column } }));
  const ownMetrics = await OwnMetrics.load({ buildInfo: { version: "1", deno: "2", libbpf: "3" } });
  const errors: string[] = [];
  const handlers: MetricsHandler[] = [];
  return {
    handlers,
    [Symbol.dispose]: () => {
      for (const handler of handlers) handler.close();
    },
    exposition,
    ownMetrics,
    errors,
    status: () => Promise.reject(new Error("nobody asks")),
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

interface Asked extends RequestInit {
  peer?: string;
  /** Answers without a socket. A new one unless given. */
  handler?: MetricsHandler;
}

/** Whoever makes pages that are compressed disposes of `made`. */
function handlerOf(made: Page, options: Partial<MetricsHandlerOptions> = {}): MetricsHandler {
  const handler = createMetricsHandler({ ...made, ...options });
  made.handlers.push(handler);
  return handler;
}

async function ask(made: Page, path: string, options: Asked = {}) {
  const { peer = "127.0.0.1", handler = handlerOf(made), ...init } = options;
  const remoteAddr = { transport: "tcp", hostname: peer, port: 1 } as const;
  return await handler.handle(new Request(`http://kmeter${path}`, init), { remoteAddr });
}

/** Time limits of scrapes that run out when a test says so. */
function scrapeTime() {
  const maxMs = 12_345_678;
  const real = globalThis.setTimeout;
  const calls: (() => void)[] = [];
  const held = (call: () => void, delayMs?: number) => {
    if (delayMs !== maxMs) return real(call, delayMs);
    calls.push(call);
    return real(() => {}, 0);
  };
  globalThis.setTimeout = held as typeof setTimeout;
  return {
    maxMs,
    /** For all scrapes since the last time. */
    runOut: () => {
      for (const call of calls.splice(0)) call();
    },
    [Symbol.dispose]: () => {
      globalThis.setTimeout = real;
    },
  };
}

function inflated(response: Response): Promise<string> {
  const body = response.body?.pipeThrough(new DecompressionStream("gzip"));
  return new Response(body).text();
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
  const response = await page(1).then((made) =>
    ask(made, "/healthz", { handler: handlerOf(made, { health: () => "no program attached" }) })
  );
  assertEquals([response.status, await response.text()], [503, "no program attached\n"]);
});

Deno.test("HEAD does not read the sources", async () => {
  let reads = 0;
  const made = await page(1);
  const handler = handlerOf(made, { beforeScrape: () => void reads++ });
  await ask(made, "/metrics", { method: "HEAD", handler });
  assertEquals(reads, 0);
});

Deno.test("sources that cannot be refreshed are counted, and the page still goes out", async () => {
  const made = await page(1);
  const beforeScrape = () => Promise.reject(new Error("map is gone"));
  const response = await ask(made, "/metrics", { handler: handlerOf(made, { beforeScrape }) });
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
  const handler = handlerOf(made, {
    beforeScrape: () => {
      refreshes++;
      return gate.promise;
    },
  });
  const scrape = async (accept: string) =>
    await (await ask(made, "/metrics", { handler, headers: { accept } })).text();
  const pages = ["", OPEN, ""].map(scrape);
  gate.resolve();
  const [first, , third] = await Promise.all(pages);
  assertEquals(refreshes, 1);
  assert(first.includes("c_total{") && third.includes("c_total{"));
  await scrape("");
  assertEquals(refreshes, 2);
});

Deno.test("gzip is for large pages to other hosts that ask for it", async () => {
  using small = await page(1);
  using large = await page(5000);
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
    const headers = { "accept-encoding": encoding };
    const response = await ask(made, "/metrics", { peer, headers });
    assertEquals([what, response.headers.get("content-encoding")], [what, want]);
    const text = await (want === null ? response.text() : inflated(response));
    assertEquals(text.match(COUNTER_LINES)?.length, made === large ? 5000 : 1);
    assert(text.includes("\nkmeter_build_info{"));
  }
});

Deno.test("a compressed page is the page", async () => {
  using made = await page(100_000);
  const handler = handlerOf(made);
  const headers = { "accept-encoding": "gzip", accept: OPEN };
  const plain = await (await ask(made, "/metrics", { handler, headers })).text();
  const compressed = await ask(made, "/metrics", { handler, headers, peer: REMOTE });
  assertEquals(compressed.headers.get("content-encoding"), "gzip");
  const gadgetPart = (text: string) => text.slice(0, text.indexOf("# HELP kmeter_"));
  assertEquals(gadgetPart(await inflated(compressed)) === gadgetPart(plain), true);
});

Deno.test("scrapes at the same time share one page, a later one gets its own", async () => {
  using made = await page(20_000);
  const handler = handlerOf(made);
  let pages = 0;
  const open = made.exposition.openBody.bind(made.exposition);
  made.exposition.openBody = (...args) => {
    pages++;
    return open(...args);
  };
  const texts = async (encoding: string) => {
    const headers = { "accept-encoding": encoding };
    const responses = await Promise.all(
      [1, 2, 3].map(() => ask(made, "/metrics", { handler, headers, peer: REMOTE })),
    );
    return await Promise.all(
      responses.map((each) => encoding === "gzip" ? inflated(each) : each.text()),
    );
  };
  for (const encoding of ["identity", "gzip"]) {
    const before = pages;
    const [first, ...others] = await texts(encoding);
    assertEquals(first.match(COUNTER_LINES)?.length, 20_000);
    assertEquals(others.map((other) => other === first), [true, true]);
    assertEquals(pages, before + 1, encoding);
    await texts(encoding);
    assertEquals(pages, before + 2, encoding);
  }
});

Deno.test("a scrape that is done is not shared with who asks after it", async () => {
  using made = await page(1);
  const handler = handlerOf(made);
  const slow = await ask(made, "/metrics", { handler });
  const reader = slow.body?.getReader();
  await reader?.read();
  const fast = await (await ask(made, "/metrics", { handler })).text();
  made.exposition.add(
    singleSet("g/new", {
      rows: [["1"]],
      instrument: { type: "gauge", name: "new", column: integers([7n]) },
    }),
  );
  assert(!fast.includes("new{"));
  assert((await (await ask(made, "/metrics", { handler })).text()).includes("new{"));
  await reader?.cancel();
});

Deno.test("scrapes over the limit are refused and counted, until one ends", async () => {
  using made = await page(1);
  const handler = handlerOf(made, { limits: { maxScrapes: 2, maxMs: 60_000, maxIdleMs: 60_000 } });
  const open = [await ask(made, "/metrics", { handler }), await ask(made, "/metrics", { handler })];
  const refused = await ask(made, "/metrics", { handler });
  assertEquals([refused.status, refused.headers.get("retry-after")], [503, "1"]);
  assertEquals(await refused.text(), "too many scrapes under way\n");
  assertEquals((await ask(made, "/healthz", { handler })).status, 200);
  await open[0].body?.cancel();
  await open[1].text();
  const body = await (await ask(made, "/metrics", { handler })).text();
  assert(body.includes('kmeter_scrape_errors_total{stage="refused"} 1\n'));
  const last = [await ask(made, "/metrics", { handler }), await ask(made, "/metrics", { handler })];
  for (const response of last) await response.body?.cancel();
  assertEquals(last.map(({ status }) => status), [200, 200]);
});

Deno.test("a client that does not read is cut off and makes room for another", async () => {
  using made = await page(20_000);
  using time = scrapeTime();
  const handler = handlerOf(made, {
    limits: { maxScrapes: 1, maxMs: time.maxMs, maxIdleMs: 60_000 },
  });
  const response = await ask(made, "/metrics", { handler });
  const reader = response.body?.getReader();
  time.runOut();
  const failure = await reader?.closed.catch((error: Error) => error.message);
  assertEquals(failure, "the scrape took too long");
  const text = new TextDecoder().decode(await made.ownMetrics.render("text"));
  assert(text.includes('kmeter_scrape_errors_total{stage="timeout"} 1\n'));
  const next = await ask(made, "/metrics", { handler });
  assertEquals(next.status, 200);
  await next.body?.cancel();
});

Deno.test("over the limit, the client that has read nothing for the longest makes room", async () => {
  using made = await page(20_000);
  const handler = handlerOf(made, { limits: { maxScrapes: 2, maxMs: 60_000, maxIdleMs: 0 } });
  const asked = [
    await ask(made, "/metrics", { handler }),
    await ask(made, "/metrics", { handler }),
  ];
  const readers = asked.map(({ body }) => body?.getReader());
  // The first one has read something since the second one came.
  await readers[0]?.read();
  const third = await ask(made, "/metrics", { handler });
  assertEquals(third.status, 200);
  const failure = await readers[1]?.closed.catch((error: Error) => error.message);
  assertEquals(failure, "the scrape took too long");
  assertEquals((await readers[0]?.read())?.done, false);
  await Promise.all([readers[0]?.cancel(), third.body?.cancel()]);
});

Deno.test("sources that never come up to date do not hold the places of scrapes", async () => {
  using made = await page(1);
  using time = scrapeTime();
  const hanging = Promise.withResolvers<void>();
  const handler = handlerOf(made, {
    limits: { maxScrapes: 2, maxMs: time.maxMs, maxIdleMs: 60_000 },
    beforeScrape: () => hanging.promise,
  });
  for (let round = 1; round <= 2; round++) {
    const asked = [ask(made, "/metrics", { handler }), ask(made, "/metrics", { handler })];
    time.runOut();
    for (const response of await Promise.all(asked)) {
      assertEquals([response.status, response.headers.get("retry-after")], [503, "1"]);
      assertEquals(await response.text(), "the scrape took too long\n");
    }
    const text = new TextDecoder().decode(await made.ownMetrics.render("text"));
    assert(text.includes(`kmeter_scrape_errors_total{stage="timeout"} ${2 * round}\n`));
  }
  hanging.resolve();
  const body = await (await ask(made, "/metrics", { handler })).text();
  assert(body.includes("c_total{"));
  assertEquals(made.errors, []);
});

Deno.test("closing cuts off scrapes under way, whether their pages have begun or not", async () => {
  using made = await page(20_000);
  const gates = [Promise.resolve(), Promise.withResolvers<void>().promise];
  const handler = handlerOf(made, { beforeScrape: () => gates.shift() });
  const begun = await ask(made, "/metrics", { handler });
  const reader = begun.body?.getReader();
  await reader?.read();
  const waiting = ask(made, "/metrics", { handler });
  handler.close();
  const failure = await reader?.closed.catch((error: Error) => error.message);
  assertEquals(failure, "the server was shut down");
  const refused = await waiting;
  assertEquals([refused.status, await refused.text()], [503, "the server was shut down\n"]);
});

Deno.test("a client that leaves early does not disturb the next", async () => {
  using made = await page(20_000);
  for (const encoding of ["identity", "gzip"]) {
    const headers = { "accept-encoding": encoding };
    const response = await ask(made, "/metrics", { peer: "192.0.2.1", headers });
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
  }
  const body = await (await ask(made, "/metrics")).text();
  assertEquals(body.match(COUNTER_LINES)?.length, 20_000);
  assertEquals(made.errors, []);
});

Deno.test("a page that breaks is cut off, reported and counted", async () => {
  const made = await page(1);
  made.exposition.openBody = () => {
    const pieces = [new TextEncoder().encode("c_total 1\n")];
    const body = {
      next: () => {
        const piece = pieces.shift();
        return piece === undefined
          ? Promise.reject(new Error("BUG: half a page"))
          : Promise.resolve(piece);
      },
      fork: () => body,
    };
    return body;
  };
  const response = await ask(made, "/metrics");
  const failure = await response.text().catch((error: Error) => error.message);
  assertEquals(failure, "BUG: half a page");
  assertEquals(made.errors, ["BUG: half a page"]);
  const text = new TextDecoder().decode(await made.ownMetrics.render("text"));
  assert(text.includes('kmeter_scrape_errors_total{stage="render"} 1\n'));
});

Deno.test("the server serves over a socket, whole pages to each of several clients, until shut down", async () => {
  const made = await page(20_000);
  const server = startMetricsServer({ ...made, hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = server.addr;
  const bodies = await Promise.all([1, 2, 3].map(async () => {
    return await (await fetch(`http://${hostname}:${port}/metrics`)).text();
  }));
  for (const body of bodies) assertEquals(body.match(COUNTER_LINES)?.length, 20_000);
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

Deno.test("a request for a host that is none is answered, and is no error of kmeter", async () => {
  const made = await page(1);
  const server = startMetricsServer({ ...made, hostname: "127.0.0.1", port: 0 });
  const client = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  const request = "GET /metrics HTTP/1.1\r\nHost: [::\r\nConnection: close\r\n\r\n";
  await client.write(new TextEncoder().encode(request));
  const answer = await new Response(client.readable).text();
  assertEquals(answer.split("\r\n")[0], "HTTP/1.1 400 Bad Request");
  assertEquals(made.errors, []);
  await server.shutdown();
});

/** A listener whose first calls of `accept` fail. */
function failingListener(failures: Error[]): Disposable {
  const real = Deno.listen;
  Deno.listen = ((options: Deno.TcpListenOptions) => {
    const listener = real(options);
    const accept = listener.accept.bind(listener);
    listener.accept = () => {
      const failure = failures.shift();
      return failure === undefined ? accept() : Promise.reject(failure);
    };
    return listener;
  }) as typeof Deno.listen;
  return { [Symbol.dispose]: () => void (Deno.listen = real) };
}

Deno.test("a connection that cannot be accepted is reported, unless descriptors have run out", async () => {
  using made = await page(1);
  const failure = (message: string, code: string) => Object.assign(new Error(message), { code });
  using _listener = failingListener([
    failure("Too many open files", "EMFILE"),
    failure("Software caused connection abort", "ECONNABORTED"),
  ]);
  const server = startMetricsServer({ ...made, hostname: "127.0.0.1", port: 0 });
  const response = await fetch(`http://127.0.0.1:${server.addr.port}/healthz`);
  assertEquals(await response.text(), "ok\n");
  await server.shutdown();
  assertEquals(made.errors, ["Cannot accept a connection: Software caused connection abort"]);
});
