// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { crc32 } from "node:zlib";
import type { BodySource } from "../../../src/export/body_source.ts";
import { combineCrc } from "../../../src/export/crc32.ts";
import { Deflater } from "../../../src/export/deflater.ts";
import { GzipBody } from "../../../src/export/gzip_body.ts";
import { TextSource } from "./_text_source.ts";

const TEXTS = Array.from({ length: 7 }, (_, piece) => `${piece} `.repeat(1 + 5000 * piece));

async function rest(body: BodySource): Promise<Uint8Array<ArrayBuffer>[]> {
  const pieces = [];
  for (let piece = await body.next(); piece !== undefined; piece = await body.next()) {
    pieces.push(piece);
  }
  return pieces;
}

/** Throws if the bytes are no gzip, or if size or CRC are wrong. */
function inflate(pieces: Uint8Array<ArrayBuffer>[]): Promise<string> {
  return new Response(new Blob(pieces).stream().pipeThrough(new DecompressionStream("gzip")))
    .text();
}

Deno.test("a body is one gzip member, also if it goes on elsewhere behind any piece", async () => {
  const deflater = new Deflater();
  try {
    for (const texts of [TEXTS, TEXTS.slice(0, 1), []]) {
      const body = new GzipBody(new TextSource(texts), { deflater });
      const pieces: Uint8Array<ArrayBuffer>[] = [];
      for (let left = texts.length + 1; left >= 0; left--) {
        assertEquals(await inflate([...pieces, ...await rest(body.fork())]), texts.join(""));
        const piece = await body.next();
        if (piece !== undefined) pieces.push(piece);
      }
      assertEquals(await body.next(), undefined);
      assertEquals(await inflate(pieces), texts.join(""));
    }
  } finally {
    deflater.close();
  }
});

Deno.test("a piece that cannot be compressed fails, the next does not", async () => {
  const deflater = new Deflater();
  try {
    const noBytes = { buffer: new ArrayBuffer(1) } as Uint8Array<ArrayBuffer>;
    await assertRejects(() => deflater.deflate(noBytes), Error, "Cannot compress");
    const { crc } = await deflater.deflate(new TextEncoder().encode("text"));
    assertEquals(crc, crc32("text"));
  } finally {
    deflater.close();
  }
});

Deno.test("pieces under way fail when the deflater is closed", async () => {
  const deflater = new Deflater();
  const piece = deflater.deflate(new Uint8Array(10));
  deflater.close();
  await assertRejects(() => piece, Error, "shut down");
});

Deno.test("a closed deflater starts no worker", async () => {
  const deflater = new Deflater();
  deflater.close();
  await assertRejects(() => deflater.deflate(new Uint8Array(10)), Error, "shut down");
});

Deno.test("an answer of a worker that has failed is not taken for one of the next", async () => {
  const real = globalThis.Worker;
  const workers: FakeWorker[] = [];
  class FakeWorker {
    onmessage = (_: { data: Awaited<ReturnType<Deflater["deflate"]>> }) => {};
    onerror = (_: { message: string; preventDefault(): void }) => {};
    constructor() {
      workers.push(this);
    }
    postMessage(): void {}
    terminate(): void {}
  }
  globalThis.Worker = FakeWorker as unknown as typeof Worker;
  try {
    const answer = (crc: number) => ({
      data: { bytes: new Uint8Array(1), crc, spent: new ArrayBuffer(1) },
    });
    const deflater = new Deflater();
    const first = deflater.deflate(new Uint8Array(10));
    workers[0].onerror({ message: "out of memory", preventDefault: () => {} });
    await assertRejects(() => first, Error, "out of memory");
    const second = deflater.deflate(new Uint8Array(10));
    workers[0].onmessage(answer(1));
    workers[1].onmessage(answer(2));
    assertEquals((await second).crc, 2);
  } finally {
    globalThis.Worker = real;
  }
});

Deno.test("CRCs of pieces make that of the whole", () => {
  for (const sizes of [[0, 0], [0, 5], [5, 0], [1, 1], [3, 1_000_003], [262_144, 262_145]]) {
    const [first, second] = sizes.map((size) =>
      Uint8Array.from({ length: size }, (_, at) => (at * 31 + size) & 255)
    );
    assertEquals(
      combineCrc(crc32(first), crc32(second), second.length),
      crc32(second, crc32(first)),
      String(sizes),
    );
  }
});
