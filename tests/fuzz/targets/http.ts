/** Bytes at the metrics server's port: it answers or closes, and serves the next scrape as ever. */

import { Exposition, OwnMetrics, startMetricsServer } from "../../../src/export/mod.ts";
import { integers, singleSet } from "../../unit/export/fake_metric_set.ts";
import { Random } from "../../unit/random.ts";
import { mutateText } from "../mutate.ts";
import { type FuzzTarget, makeSeed, textOf } from "../target.ts";

/** How long an answer may take once the client has said all that it has to say. */
const ANSWER_MS = 5000;
const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "OPTIONS",
  "CONNECT",
  "TRACE",
  "get",
  "PRI",
  "\x16\x03\x01",
];
const PATHS = [
  "/metrics",
  "/",
  "/healthz",
  "/%00",
  "//",
  "*",
  "http://[::1",
  "/metrics?a=%zz",
  "\\",
];
const VERSIONS = ["HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.1.1", ""];
const HEADERS = [
  "Host: a",
  "Host: [::",
  "Host: a\r\nHost: b",
  "Accept: application/openmetrics-text;q=9e999",
  "Accept: ;;;,,,q=,*/*;q=-1",
  "Accept-Encoding: gzip;q=0.000000001,\tgzip",
  "Connection: close, keep-alive, upgrade",
  "Upgrade: h2c",
  "Content-Length: 18446744073709551616",
  "Content-Length: 5",
  "Content-Length: -1",
  "Transfer-Encoding: chunked",
  "Expect: 100-continue",
  "X-Prometheus-Scrape-Timeout-Seconds: -1e999",
  "Range: bytes=0-0",
  ": empty",
  "Bad Name: x",
  " folded",
  "Nul: \0",
];
const BODIES = ["", "hello", "ffffffffffffffff\r\n", "0\r\n\r\n", "5\r\nhello\r\n-1\r\n"];

const server = lazily(async () => {
  const rows = Array.from({ length: 100 }, (_, row) => [String(row)]);
  const exposition = new Exposition();
  const column = integers(rows.map((_, row) => BigInt(row)));
  exposition.add(singleSet("g/d", { rows, instrument: { type: "counter", name: "c", column } }));
  const ownMetrics = await OwnMetrics.load({ buildInfo: { version: "1", deno: "2", libbpf: "3" } });
  const errors: unknown[] = [];
  const started = startMetricsServer({
    hostname: "127.0.0.1",
    port: 0,
    exposition,
    ownMetrics,
    status: () => Promise.reject(new Error("nobody asks")),
    landing: () => ({ version: "1", sources: [] }),
    onError: (error) => void errors.push(error),
  });
  return { ...started, errors };
});

export const httpTarget: FuzzTarget = {
  name: "http",
  make: makeSeed,
  async check(input) {
    const random = new Random(Number(textOf(input)));
    const { addr, errors } = await server.get();
    await exchange(addr, randomRequests(random), random);
    const response = await fetch(`http://${addr.hostname}:${addr.port}/metrics`);
    const page = await response.text();
    const samples = page.match(/^c_total\{.*\} \d+$/gm)?.length;
    if (response.status !== 200 || samples !== 100) {
      throw new Error(`the scrape afterwards: ${response.status}, ${samples} of 100 samples`);
    }
    if (errors.length > 0) throw errors.splice(0)[0];
  },
  async close() {
    await (await server.get()).shutdown();
  },
};

function lazily<T>(make: () => Promise<T>): { get(): Promise<T> } {
  let made: Promise<T> | undefined;
  return { get: () => made ??= make() };
}

/** One or several requests in one go, more or less as HTTP wants them. */
function randomRequests(random: Random): Uint8Array<ArrayBuffer> {
  if (random.chance(0.1)) return random.bytes(random.between(1, 2000));
  const requests = Array.from({ length: random.pick([1, 1, 2, 20]) }, () => randomRequest(random));
  const text = requests.join("");
  return new TextEncoder().encode(
    random.chance(0.4) ? mutateText(random, text, [...HEADERS, "\r\n", "\r", "\r\n\r\n"]) : text,
  );
}

function randomRequest(random: Random): string {
  const headers = Array.from({ length: random.between(0, 4) }, () => random.pick(HEADERS));
  if (random.chance(0.1)) {
    headers.push(`Giant: ${"x".repeat(random.pick([8000, 70_000, 600_000]))}`);
  }
  if (random.chance(0.05)) {
    headers.push(...Array.from({ length: 300 }, (_, index) => `H${index}: x`));
  }
  const path = random.chance(0.05) ? `/${"a".repeat(100_000)}` : random.pick(PATHS);
  const line = `${random.pick(METHODS.slice(0, random.pick([1, 2, 10])))} ${path} ${
    random.pick(VERSIONS.slice(0, random.pick([1, 2, 6])))
  }`;
  return [line, ...headers, "", random.pick(BODIES)].join("\r\n");
}

/** Sends in pieces, ends or not, and reads until the server closes. */
async function exchange(
  addr: { hostname: string; port: number },
  bytes: Uint8Array,
  random: Random,
): Promise<void> {
  using connection = await Deno.connect(addr);
  const reading = readToEnd(connection);
  try {
    for (let at = 0; at < bytes.length;) {
      const length = random.pick([1, 10, 1000, bytes.length]);
      at += await connection.write(bytes.subarray(at, at + length));
      if (at > 100 && length < 1000) at += await writeRest(connection, bytes.subarray(at));
    }
    if (random.chance(0.2)) return;
    await connection.closeWrite();
  } catch (error) {
    // Whoever is refused need not be heard out.
    if (!isGone(error)) throw error;
  }
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), ANSWER_MS);
  const outcome = await Promise.race([reading, late.promise]);
  clearTimeout(timer);
  if (outcome === "late") throw new Error(`neither answered nor closed within ${ANSWER_MS} ms`);
}

async function writeRest(connection: Deno.Conn, bytes: Uint8Array): Promise<number> {
  let at = 0;
  while (at < bytes.length) at += await connection.write(bytes.subarray(at));
  return at;
}

async function readToEnd(connection: Deno.Conn): Promise<"ended"> {
  const room = new Uint8Array(65536);
  try {
    while (await connection.read(room) !== null);
  } catch (error) {
    const isClosedHere = error instanceof Deno.errors.BadResource ||
      error instanceof Deno.errors.Interrupted;
    if (!isGone(error) && !isClosedHere) throw error;
  }
  return "ended";
}

function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.NotConnected;
}
