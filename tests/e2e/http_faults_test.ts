/** What strangers at the port can do: a scraper gets its page meanwhile, and every event is accounted for. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { btfWithoutRingBuffers } from "../kernel/btf_of_old_kernels.ts";
import { testWith } from "./cases.ts";
import { CertificateAuthority } from "./certificates.ts";
import { assertNothingLeft, listKernelObjects } from "./kernel_objects.ts";
import { ChildProcess, runTool, sleep, startKmeter } from "./kmeter_process.ts";
import { CHECKOUT } from "./kmeter_command.ts";
import type { Requirement } from "./requirements.ts";
import { NamedProgram, Sandbox } from "./sandbox.ts";
import { ANY_PORT, samplesOf, servedAt } from "./scrape.ts";

/** As Prometheus has it unless told otherwise. */
const SCRAPE_TIMEOUT_SECONDS = 10;
const NEEDS: readonly Requirement[] = [
  "root",
  "/usr/bin/curl",
  "/usr/bin/openssl",
  "/usr/bin/prlimit",
];
const CONNECTIONS = 10_000;
const MAX_CONNECTIONS = 512;
/** Of what a flood leaves; measured: up to 60 MiB after 10,000 connections, 110 after 80,000. */
const MAX_GROWTH_KB = 120 * 1024;
const RUNS = 3;

/** A kmeter under attack, and the program whose starts it counts. */
class Target {
  readonly kmeter: ChildProcess;
  readonly address: string;
  readonly #program: NamedProgram;
  readonly #trust: readonly string[];
  #runs = 0;

  constructor(
    parts: {
      kmeter: ChildProcess;
      address: string;
      program: NamedProgram;
      trust: readonly string[];
    },
  ) {
    this.kmeter = parts.kmeter;
    this.address = parts.address;
    this.#program = parts.program;
    this.#trust = parts.trust;
  }

  get endpoint(): { hostname: string; port: number } {
    const { hostname, port } = new URL(this.address);
    return { hostname, port: Number(port) };
  }

  /** What a scraper gets while the fault lasts, and that all that happened is in it. */
  async scrapeWhole(fault: string): Promise<string> {
    await this.#program.run(RUNS);
    this.#runs += RUNS;
    const { stdout } = await runTool([
      ...["/usr/bin/curl", "-sSf", "--max-time", String(SCRAPE_TIMEOUT_SECONDS)],
      // A 503 says when to come again.
      ...["--retry", "9", "--retry-max-time", String(SCRAPE_TIMEOUT_SECONDS)],
      ...this.#trust,
      `${this.address}/metrics`,
    ]);
    const numberOf = (family: string, ...labels: string[]) =>
      samplesOf(stdout, family, ...labels)
        .reduce((sum, sample) => sum + Number(sample.split(" ").at(-1)), 0);
    const counted = numberOf("execs_total", `comm="${this.#program.name}"`);
    const lost = numberOf("kmeter_events_lost_total");
    assertEquals([fault, counted, lost], [fault, this.#runs, 0]);
    return stdout;
  }

  get openFiles(): number {
    return [...Deno.readDirSync(`/proc/${this.kmeter.pid}/fd`)].length;
  }

  get residentKb(): number {
    const status = Deno.readTextFileSync(`/proc/${this.kmeter.pid}/status`);
    return Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]);
  }

  /** Waits until no more descriptors are open than before. */
  async settle(openFiles: number): Promise<void> {
    for (let waitedMs = 0; this.openFiles > openFiles; waitedMs += 100) {
      assert(waitedMs < 10_000, `${this.openFiles} open files, ${openFiles} before`);
      await sleep(100);
    }
  }
}

/** Runs kmeter, after whose end nothing may be left, and that may not have complained but of descriptors for a look. */
async function attack(
  { args = [], prefix, trust = [] }: {
    args?: readonly string[];
    prefix?: readonly string[];
    trust?: readonly string[];
  },
  during: (target: Target) => Promise<void>,
): Promise<void> {
  const before = await listKernelObjects();
  {
    using program = new NamedProgram();
    await using kmeter = startKmeter([
      ...["run", "trace_exec", "-o", "none", ANY_PORT, "--filter", `proc.comm==${program.name}`],
      ...args,
    ], { prefix });
    await during(new Target({ kmeter, address: await servedAt(kmeter), program, trust }));
    kmeter.kill("SIGTERM");
    const { code, stderr } = await kmeter.finish();
    const complaints = stderr.replaceAll(/^.*: The CPUs cannot be looked at: .*EMFILE.*$/gm, "");
    assertEquals([code, complaints.match(/warning|error/g)], [0, null], stderr);
  }
  await assertNothingLeft(before);
}

/** Connects many times and asks nothing, until it is disposed of. */
async function flood({ hostname, port }: Target["endpoint"]): Promise<ChildProcess> {
  const script = `${CHECKOUT}/tests/e2e/connection_flood.ts`;
  const child = new ChildProcess([
    ...[
      "/usr/bin/prlimit",
      `--nofile=${CONNECTIONS + 1000}`,
      Deno.execPath(),
      "run",
      "--no-config",
    ],
    ...["--no-check", "--allow-net", script, hostname, String(port), String(CONNECTIONS)],
  ]);
  await child.waitFor("stdout", /connections$/m, { timeoutMs: 60_000 });
  return child;
}

/** What the server answers to bytes, whether it hears them out or not. */
async function exchange(endpoint: Target["endpoint"], bytes: Uint8Array): Promise<string> {
  using connection = await Deno.connect(endpoint);
  const sending = writeAll(connection, bytes).catch(ignoreGone);
  let answer = "";
  const decoder = new TextDecoder("latin1");
  const room = new Uint8Array(65536);
  try {
    for (;;) {
      const length = await connection.read(room);
      if (length === null) break;
      answer += decoder.decode(room.subarray(0, length), { stream: true });
    }
  } catch (error) {
    ignoreGone(error);
  }
  await sending;
  return answer;
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

function ignoreGone(error: unknown): void {
  const { BrokenPipe, ConnectionReset } = Deno.errors;
  if (!(error instanceof BrokenPipe || error instanceof ConnectionReset)) throw error;
}

/** Sends a byte now and then and never ends. @returns when the server has had enough. */
async function dribble(endpoint: Target["endpoint"]): Promise<void> {
  using connection = await Deno.connect(endpoint);
  const letters = new TextEncoder().encode(`GET /metrics HTTP/1.1\r\nHost: ${"a".repeat(1000)}`);
  let isClosed = false;
  const closing = connection.read(new Uint8Array(1)).catch(ignoreGone).finally(() =>
    isClosed = true
  );
  try {
    for (let at = 0; !isClosed && at < letters.length; at++) {
      await connection.write(letters.subarray(at, at + 1));
      await sleep(100);
    }
  } catch (error) {
    ignoreGone(error);
  }
  await closing;
}

const HOST = "Host: a\r\n";
const giant = (name: string, size: number) =>
  `GET /metrics HTTP/1.1\r\n${name}: ${"x".repeat(size)}`;
const ODD: readonly [what: string, request: string, answer: RegExp][] = [
  ["10 MB of a header", giant("X", 1e7), /^HTTP\/1\.1 431 /],
  ["1 MB of Accept", giant("Accept", 1e6), /^HTTP\/1\.1 431 /],
  [
    "100,000 headers",
    `GET /metrics HTTP/1.1\r\n${HOST}${"X: y\r\n".repeat(100_000)}\r\n`,
    /^HTTP\/1\.1 431 /,
  ],
  [
    "20 MB of a body",
    `POST /metrics HTTP/1.1\r\n${HOST}Content-Length: 20000000\r\n\r\n${"x".repeat(2e7)}`,
    /^HTTP\/1\.1 405 /,
  ],
  [
    "a body with GET",
    `GET /metrics HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`,
    /^HTTP\/1\.1 200 [^]*\r\n0\r\n\r\n$/,
  ],
  [
    "Accept that is none",
    `GET /metrics HTTP/1.1\r\n${HOST}Connection: close\r\nAccept: ;;q=x,,/;q=\r\n\r\n`,
    /^HTTP\/1\.1 200 [^]*\r\ncontent-type: text\/plain; version=0\.0\.4/,
  ],
  [
    "HTTP/1.0",
    "GET /metrics HTTP/1.0\r\n\r\n",
    /^HTTP\/1\.1 200 [^]*\r\nconnection: close\r\n\r\n# HELP /,
  ],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", /^HTTP\/1\.1 505 /],
  ["TLS", "\x16\x03\x01\x02\x00\x01", /^HTTP\/1\.1 400 /],
  [
    "a pipeline",
    `GET /healthz HTTP/1.1\r\n${HOST}\r\n`.repeat(20_000),
    /^HTTP\/1\.1 200 OK\r\n([^\r]+\r\n)+\r\n3\r\nok\n\r\n0\r\n\r\n$/,
  ],
];

testWith("hostile requests are refused, and a scraper is served meanwhile", NEEDS, async () => {
  await attack({}, async (target) => {
    const { endpoint } = target;
    await target.scrapeWhole("none");
    const openFiles = target.openFiles;
    const dribbling = Array.from({ length: 20 }, () => dribble(endpoint));
    for (const [what, request, answer] of ODD) {
      const bytes = Uint8Array.from(request, (character) => character.charCodeAt(0));
      assertMatch(await exchange(endpoint, bytes), answer, what);
    }
    await target.scrapeWhole("one byte now and then");
    // They ask for more pages than the socket holds, and read none.
    const asked = new TextEncoder().encode(`GET /metrics HTTP/1.1\r\n${HOST}\r\n`.repeat(1000));
    const greedy = await Promise.all(Array.from({ length: 20 }, () => Deno.connect(endpoint)));
    const asking = greedy.map((connection) =>
      writeAll(connection, asked).catch((error) => {
        if (
          !(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)
        ) {
          ignoreGone(error);
        }
      })
    );
    await target.scrapeWhole("pages that are not read");
    for (const connection of greedy) connection.close();
    await Promise.all([...asking, ...dribbling]);
    await target.settle(openFiles);
    const page = await target.scrapeWhole("none any more");
    assertMatch(page, /^kmeter_http_connections_cut_total\{.*reason="timeout"\} 20$/m);
  });
});

for (
  const { over, tls, isPoor } of [
    { over: "plain HTTP", tls: false, isPoor: false },
    { over: "TLS", tls: true, isPoor: false },
    // They run out before the limit of connections is reached; perf buffers look at the CPUs now and then.
    { over: "plain HTTP, with few descriptors and perf buffers", tls: false, isPoor: true },
  ]
) {
  testWith(`10,000 idle connections over ${over} keep no scraper out`, NEEDS, async () => {
    using sandbox = new Sandbox();
    const ca = await CertificateAuthority.create(sandbox, "ca");
    await ca.sign("server");
    using btf = isPoor ? btfWithoutRingBuffers() : undefined;
    const config = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
    const options = tls
      ? {
        args: ["--web.config.file", sandbox.write("web.yml", config)],
        trust: ["--cacert", ca.cert],
      }
      : btf && { args: ["--btf", btf.path] };
    const prefix = isPoor ? ["/usr/bin/prlimit", "--nofile=290"] : [];
    await attack({ ...options, prefix }, async (target) => {
      await target.scrapeWhole("none");
      const { openFiles, residentKb } = target;
      {
        await using _flood = await flood(target.endpoint);
        await target.scrapeWhole("10,000 connections");
        assert(target.openFiles <= openFiles + MAX_CONNECTIONS, `${target.openFiles} open files`);
      }
      await target.settle(openFiles);
      const page = await target.scrapeWhole("none any more");
      const cut = /^kmeter_http_connections_cut_total\{.*reason="crowded"\} (\d+)$/m.exec(page)
        ?.[1];
      assert(Number(cut) >= CONNECTIONS - MAX_CONNECTIONS, page);
      const growthKb = target.residentKb - residentKb;
      assert(growthKb < MAX_GROWTH_KB, `${growthKb} KiB more`);
    });
  });
}
