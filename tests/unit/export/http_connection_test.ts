// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { Connections } from "../../../src/export/connections.ts";
import { type ByteStream, MAX_HEAD_BYTES, serveHttp } from "../../../src/export/http_connection.ts";
import type { MetricsHandler } from "../../../src/export/metrics_handler.ts";

const HOST = "Host: a\r\n";

interface Talk {
  /** Pieces that the client sends before it closes its side. */
  readonly sent: readonly string[];
  readonly handle?: MetricsHandler["handle"];
  readonly mayContinue?: () => boolean;
}

/** All that the server writes, and the paths that it was asked for. */
async function talk({ sent, handle, mayContinue = () => true }: Talk) {
  const pieces = sent.map((text) => Uint8Array.from(text, (char) => char.charCodeAt(0)));
  let output = "";
  const asked: string[] = [];
  const errors: unknown[] = [];
  const stream: ByteStream = {
    peer: { transport: "tcp", hostname: "192.0.2.1", port: 1 },
    read: () => Promise.resolve(pieces.shift()),
    write: (bytes) => {
      output += new TextDecoder("latin1").decode(bytes);
      return Promise.resolve();
    },
    closeWrite: () => Promise.resolve(),
    close: () => {},
  };
  const connection = new Connections({ onCut: () => {} }).admit(stream.close);
  assert(connection !== undefined);
  await serveHttp(stream, {
    connection,
    onError: (error) => errors.push(error),
    mayContinue,
    handle: handle ?? ((request) => {
      asked.push(`${request.method} ${new URL(request.url).pathname}`);
      return Promise.resolve(new Response(request.method === "HEAD" ? null : "page\n"));
    }),
  });
  return { output: output.replace(/^date: .*\r\n/gm, ""), asked, errors };
}

const get = (path: string, headers = "") => `GET ${path} HTTP/1.1\r\n${HOST}${headers}\r\n`;

Deno.test("an answer has its length in chunks, and one request follows another", async () => {
  const { output, asked } = await talk({ sent: [get("/a"), get("/b", "Connection: Close\r\n")] });
  const head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain;charset=UTF-8\r\n" +
    "transfer-encoding: chunked\r\n";
  const body = "\r\n5\r\npage\n\r\n0\r\n\r\n";
  assertEquals(output, `${head}${body}${head}connection: close\r\n${body}`);
  assertEquals(asked, ["GET /a", "GET /b"]);
});

Deno.test("what a request may look like", async () => {
  const rows: [what: string, sent: string[], status: number, path?: string][] = [
    ["byte by byte", [...get("/x")], 200, "GET /x"],
    ["lines that end in LF", ["GET /x HTTP/1.1\nHost: a\n\n"], 200, "GET /x"],
    ["empty lines before", ["\r\n\n", `\r\n${get("/x")}`], 200, "GET /x"],
    ["no host in HTTP/1.0", ["GET /x HTTP/1.0\r\n\r\n"], 200, "GET /x"],
    ["an empty host", ["GET /x HTTP/1.1\r\nHost:\r\n\r\n"], 200, "GET /x"],
    ["a whole URL", [`GET http://b:1/x HTTP/1.1\r\n${HOST}\r\n`], 200, "GET /x"],
    ["two slashes", [get("//b/x")], 200, "GET //b/x"],
    ["bytes above ASCII", [get("/x", "A: \xff\r\n")], 200, "GET /x"],
    ["no host", ["GET /x HTTP/1.1\r\n\r\n"], 400],
    ["two hosts", [get("/x", "host: b\r\n")], 400],
    ["a host that is none", ["GET /x HTTP/1.1\r\nHost: [::\r\n\r\n"], 400],
    ["a folded line", [get("/x", " folded\r\n")], 400],
    ["a space in a name", [get("/x", "A : b\r\n")], 400],
    ["a line without colon", [get("/x", "A\r\n")], 400],
    ["NUL in a value", [get("/x", "A: \0\r\n")], 400],
    ["a CR in a value", [get("/x", "A: b\rc\r\n")], 400],
    ["no version", ["GET /x\r\n\r\n"], 400],
    ["two spaces", [`GET  /x HTTP/1.1\r\n${HOST}\r\n`], 400],
    ["a star", [`OPTIONS * HTTP/1.1\r\n${HOST}\r\n`], 400],
    ["TLS", ["\x16\x03\x01\x02\x00\x01"], 400],
    ["HTTP/2", ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], 505],
    ["the longest head", [get("/x", `A: ${"x".repeat(MAX_HEAD_BYTES - 33)}\r\n`)], 200, "GET /x"],
    ["a longer head", [get("/x", `A: ${"x".repeat(MAX_HEAD_BYTES - 32)}\r\n`)], 431],
    ["a head without end", Array(100).fill("x".repeat(1000)), 431],
  ];
  for (const [what, sent, status, path] of rows) {
    const { output, asked, errors } = await talk({ sent });
    assertEquals([what, Number(output.split(" ")[1])], [what, status]);
    assertEquals(asked, path === undefined ? [] : [path], what);
    if (status !== 200) assert(output.includes("\r\nconnection: close\r\n"), what);
    assertEquals(errors, [], what);
  }
});

Deno.test("behind a body, HTTP/1.0, or a change of the server nothing more is answered", async () => {
  const rows: [what: string, first: string, mayContinue: boolean, answers: number][] = [
    ["plain", get("/"), true, 2],
    ["a body of a known length", get("/", "Content-Length: 3\r\n") + "abc", true, 1],
    ["a body of no length", get("/", "Content-Length: 0\r\n"), true, 2],
    ["lengths in a list", get("/", "Content-Length: 0\r\nContent-Length: 5\r\n"), true, 1],
    ["chunks", get("/", "Transfer-Encoding: chunked\r\n"), true, 1],
    ["close in a list", get("/", "Connection: a, close\r\n"), true, 1],
    ["HTTP/1.0", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true, 1],
    ["a pipeline", get("/") + get("/"), true, 1],
    ["a server that ends", get("/"), false, 1],
  ];
  for (const [what, first, may, answers] of rows) {
    const { output, asked } = await talk({ sent: [first, get("/")], mayContinue: () => may });
    assertEquals([what, asked.length], [what, answers]);
    assertEquals(output.split("\r\nconnection: close\r\n").length, answers === 1 ? 2 : 1, what);
  }
});

Deno.test("HEAD has no body, and HTTP/1.0 no chunks", async () => {
  const head = await talk({ sent: [`HEAD / HTTP/1.1\r\n${HOST}\r\n`] });
  assertEquals(head.output, "HTTP/1.1 200 OK\r\n\r\n");
  const old = await talk({ sent: ["GET / HTTP/1.0\r\n\r\n"] });
  assert(old.output.endsWith("connection: close\r\n\r\npage\n"), old.output);
});

Deno.test("a body that breaks leaves the answer without its end", async () => {
  let pulls = 0;
  const body = new ReadableStream({
    pull: (controller) => {
      if (pulls++ === 0) controller.enqueue(new TextEncoder().encode("half"));
      else controller.error(new Error("broken"));
    },
  });
  const { output } = await talk({
    sent: [get("/") + get("/")],
    handle: () => Promise.resolve(new Response(body)),
  });
  assert(output.endsWith("\r\n4\r\nhalf"), output);
});

Deno.test("a handler that fails is told of, and the client gets a 500", async () => {
  const { output, errors } = await talk({
    sent: [get("/")],
    handle: () => Promise.reject(new Error("BUG")),
  });
  assert(output.startsWith("HTTP/1.1 500 Internal Server Error\r\n"), output);
  assertEquals(errors.map((error) => (error as Error).message), ["BUG"]);
});
