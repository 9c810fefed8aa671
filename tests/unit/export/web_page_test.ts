// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { Exposition, OwnMetrics } from "../../../src/export/mod.ts";
import { createMetricsHandler } from "../../../src/export/metrics_handler.ts";
import type { StatusDocument } from "../../../src/export/status.ts";

const STATUS: StatusDocument = {
  version: "1",
  time: "2026-01-01T00:00:00.000Z",
  uptimeSeconds: 1,
  process: {},
  gadgets: [],
  limits: [],
};

async function site({ made = [] as string[] } = {}) {
  const handler = createMetricsHandler({
    exposition: new Exposition(),
    ownMetrics: await OwnMetrics.load({ buildInfo: { version: "1", deno: "2", libbpf: "3" } }),
    beforeScrape: () => void made.push("refresh"),
    landing: () => ({
      version: "<1>",
      sources: [{
        scope: "g/<d>",
        description: "$& <!-- sources -->\x1b\u202e",
        metrics: ["c_total"],
      }],
    }),
    status: () => {
      made.push("status");
      return Promise.resolve(STATUS);
    },
    onError: (error) => {
      throw error;
    },
  });
  const remoteAddr = { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const;
  return (path: string, method = "GET") =>
    handler.handle(new Request(`http://kmeter${path}`, { method }), { remoteAddr });
}

Deno.test("the page and all that it loads forbid everything that is not their own", async () => {
  const get = await site();
  const rows: [path: string, type: string][] = [
    ["/", "text/html; charset=utf-8"],
    ["/web/page.js", "text/javascript; charset=utf-8"],
    ["/web/page.css", "text/css; charset=utf-8"],
    ["/web/icon.svg", "image/svg+xml"],
    ["/api/v1/status", "application/json"],
  ];
  for (const [path, type] of rows) {
    const { status, headers } = await get(path);
    assertEquals([path, status, headers.get("content-type")], [path, 200, type]);
    const policy = headers.get("content-security-policy")?.split("; ");
    assertEquals(policy, [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "img-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("referrer-policy"), "no-referrer");
    assertEquals(headers.get("cross-origin-resource-policy"), "same-origin");
    assertEquals(headers.get("access-control-allow-origin"), null);
  }
});

Deno.test("every file that the page names is there, and none is from elsewhere", async () => {
  const get = await site();
  const found = new Set<string>();
  const follow = async (path: string) => {
    if (found.has(path)) return;
    found.add(path);
    const response = await get(path);
    assertEquals([path, response.status], [path, 200]);
    const text = await response.text();
    const names = text.matchAll(/(?:<link[^>]* href|<script[^>]* src)="([^"]*)"/g);
    const imports = text.matchAll(/^(?:import|export)[^;]* from "([^"]*)"/gm);
    for (const [, name] of [...names, ...imports]) {
      assert(/^\.?\//.test(name), name);
      await follow(new URL(name, `http://kmeter${path}`).pathname);
    }
  };
  await follow("/");
  assert(found.has("/web/history.js"), [...found].join());
});

Deno.test("what gadgets say of themselves is text", async () => {
  const get = await site();
  const page = await (await get("/")).text();
  assert(page.includes("&lt;1&gt;"), page);
  assert(
    page.includes("<strong>g/&lt;d&gt;</strong>: $&amp; &lt;!-- sources --&gt;\\x1b\\u202e<br>"),
    page,
  );
});

Deno.test("no other file is served", async () => {
  const get = await site();
  const paths = [
    "/web/",
    "/web/index.html",
    "/web/nothing.js",
    "/web/__proto__",
    "/web/../deno.json",
    "/web/%2e%2e/deno.json",
    "/web/..%2fdeno.json",
    "/deno.json",
    "/LICENSE",
    "/api/v1/",
  ];
  for (const path of paths) assertEquals([path, (await get(path)).status], [path, 404]);
});

Deno.test("many who ask for the status cost one reading of the sources, HEAD none", async () => {
  const made: string[] = [];
  const get = await site({ made });
  const head = await get("/api/v1/status", "HEAD");
  assertEquals([head.status, head.body, made], [200, null, []]);
  const answers = await Promise.all(Array.from({ length: 50 }, () => get("/api/v1/status")));
  for (const answer of answers) assertEquals(await answer.json(), STATUS);
  assertEquals(made, ["refresh", "status"]);
});
