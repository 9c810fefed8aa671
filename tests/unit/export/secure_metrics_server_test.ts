// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import { KernelError, UsageError } from "../../../src/errors.ts";
import {
  Exposition,
  OwnMetrics,
  startSecureMetricsServer,
  WebConfigFile,
} from "../../../src/export/mod.ts";
import { integers, singleSet } from "./fake_metric_set.ts";

/** A page of so many series, behind the web configuration `text`. */
async function serve(text: string, { seriesCount = 1, maxMs = 60_000, files = {} } = {}) {
  const folder = await Deno.makeTempDir();
  for (const [name, content] of Object.entries({ ...files, "web.yml": text })) {
    await Deno.writeTextFile(`${folder}/${name}`, content);
  }
  const rows = Array.from({ length: seriesCount }, (_, row) => [String(row)]);
  const column = integers(rows.map((_, row) => BigInt(row)));
  const exposition = new Exposition();
  exposition.add(singleSet("g/d", { rows, instrument: { type: "counter", name: "c", column } }));
  const ownMetrics = await OwnMetrics.load({ buildInfo: { version: "1", deno: "2", libbpf: "3" } });
  const warnings: string[] = [];
  const errors: unknown[] = [];
  const options = {
    hostname: "127.0.0.1",
    exposition,
    ownMetrics,
    status: () => Promise.reject(new Error("nobody asks")),
    landing: () => ({ version: "0", sources: [] }),
    onError: (error: unknown) => errors.push(error),
    limits: { maxScrapes: 16, maxMs, maxIdleMs: 3000 },
    webConfig: new WebConfigFile(`${folder}/web.yml`, {
      warn: (warning) => warnings.push(warning),
    }),
  };
  const server = startSecureMetricsServer({ ...options, port: 0 });
  return {
    options,
    server,
    warnings,
    errors,
    url: `${server.scheme}://127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

const TLS = "tls_server_config:\n  cert_file: a.crt\n  key_file: a.key\n";

async function selfSigned(): Promise<Record<"a.crt" | "a.key", string>> {
  const folder = await Deno.makeTempDir();
  const [key, cert] = [`${folder}/a.key`, `${folder}/a.crt`];
  const { success } = await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-subj", "/CN=a", "-addext", "subjectAltName=IP:127.0.0.1"],
      // Not a CA: Deno's client takes no CA's certificate for a server's.
      ...["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", cert],
    ],
    stderr: "null",
  }).output();
  assert(success);
  const files = { "a.crt": Deno.readTextFileSync(cert), "a.key": Deno.readTextFileSync(key) };
  await Deno.remove(folder, { recursive: true });
  return files;
}

function hasOpenssl(): boolean {
  try {
    return Deno.statSync("/usr/bin/openssl").isFile;
  } catch {
    return false;
  }
}

const ignore = !hasOpenssl();

Deno.test({
  name: "a large page over TLS is whole for each of several clients",
  ignore,
  async fn() {
    const files = await selfSigned();
    await using made = await serve(TLS, { seriesCount: 50_000, files });
    using client = Deno.createHttpClient({ caCerts: [files["a.crt"]] });
    const pages = await Promise.all(
      [1, 2, 3].map(async () => await (await fetch(`${made.url}/metrics`, { client })).text()),
    );
    for (const page of pages) assertEquals(page.match(/^c_total\{/gm)?.length, 50_000);
    assertEquals([made.errors, made.warnings], [[], []]);
  },
});

Deno.test({
  name: "a client that does not read over TLS is cut off when its time is over",
  ignore,
  async fn() {
    const files = await selfSigned();
    await using made = await serve(TLS, { seriesCount: 200_000, maxMs: 500, files });
    using client = await Deno.connectTls({
      hostname: "127.0.0.1",
      port: made.server.addr.port,
      caCerts: [files["a.crt"]],
    });
    await client.write(new TextEncoder().encode("GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n"));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    let received = 0;
    const failure = await (async () => {
      for await (const piece of client.readable) received += piece.length;
      return "ended";
    })().catch((error) => error.name);
    const page = await made.options.ownMetrics.render("text");
    const text = new TextDecoder().decode(page);
    assert(text.includes('kmeter_scrape_errors_total{stage="timeout"} 1\n'), text);
    assert(received < 8_000_000, `${received} bytes, then ${failure}`);
  },
});

Deno.test({
  name: "an address that cannot be had is the same error with TLS and without",
  ignore,
  async fn() {
    await using made = await serve(TLS, { files: await selfSigned() });
    for (const [hostname, code] of [["127.0.0.1", "EADDRINUSE"], ["192.0.2.1", "EADDRNOTAVAIL"]]) {
      const { port } = made.server.addr;
      assertThrows(
        () => startSecureMetricsServer({ ...made.options, hostname, port }),
        KernelError,
        `Cannot serve metrics on ${hostname}:${port}: ${code} from bind`,
      );
    }
    assertThrows(
      () => startSecureMetricsServer({ ...made.options, hostname: "no such host", port: 0 }),
      UsageError,
      "no such host",
    );
  },
});

Deno.test("without TLS and users only the headers are added", async () => {
  const config = 'http_server_config:\n  headers:\n    Content-Security-Policy: "a"\n';
  await using made = await serve(config);
  for (const path of ["/", "/metrics", "/no"]) {
    const response = await fetch(made.url + path);
    await response.text();
    assertEquals(response.headers.get("content-security-policy"), "a");
  }
});
