// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type BodyReader, SharedBody } from "../../../src/export/shared_body.ts";
import { TextSource } from "./_text_source.ts";

const TEXTS = [..."abcdefghij"].map((letter) => letter.repeat(10));

function bodyOf(source: TextSource, options: { windowBytes?: number } = {}) {
  const errors: unknown[] = [];
  const body = new SharedBody(source, { ...options, onError: (error) => errors.push(error) });
  return { body, errors };
}

async function readText(reader: BodyReader | undefined): Promise<string | undefined> {
  assert(reader !== undefined);
  const piece = await reader.read();
  return piece && new TextDecoder().decode(piece);
}

async function readRest(reader: BodyReader | undefined): Promise<string> {
  let text = "";
  for (let piece = await readText(reader); piece !== undefined; piece = await readText(reader)) {
    text += piece;
  }
  return text;
}

Deno.test("each piece is made once, for readers of any pace", async () => {
  const source = new TextSource(TEXTS);
  const { body } = bodyOf(source);
  const readers = [body.joinFirst(), body.join(), body.join()];
  assertEquals(await readText(readers[0]), TEXTS[0]);
  assertEquals(await readText(readers[0]), TEXTS[1]);
  const both = await Promise.all([readRest(readers[0]), readRest(readers[1])]);
  assertEquals(both, [TEXTS.slice(2).join(""), TEXTS.join("")]);
  assertEquals(await readRest(readers[2]), TEXTS.join(""));
  assertEquals(source.made, TEXTS);
  assertEquals(body.heldBytes, 0);
});

Deno.test("a body is joined at its beginning only, and not once its end is made", async () => {
  const { body } = bodyOf(new TextSource(TEXTS));
  const first = body.joinFirst();
  await first.read();
  assertEquals(body.join(), undefined);

  const short = bodyOf(new TextSource(["all"])).body;
  const slow = short.joinFirst();
  const fast = short.join();
  assertEquals(await readText(fast), "all");
  assert(short.join() !== undefined);
  assertEquals(await readText(fast), undefined);
  assertEquals(short.join(), undefined);
  assertEquals(await readRest(slow), "all");
});

Deno.test("who is a window behind goes on alone, and loses nothing", async () => {
  const source = new TextSource(TEXTS);
  const { body } = bodyOf(source, { windowBytes: 30 });
  const fast = body.joinFirst();
  const [slow, slower] = [body.join(), body.join()];
  assertEquals(await readText(slow), TEXTS[0]);
  for (const text of TEXTS) {
    assertEquals(await readText(fast), text);
    assert(body.heldBytes <= 30, `${body.heldBytes} bytes held`);
  }
  assertEquals(source.made, TEXTS);
  assertEquals(await readRest(slow), TEXTS.slice(1).join(""));
  assertEquals(await readRest(slower), TEXTS.join(""));
});

Deno.test("who leaves is waited for no longer", async () => {
  const { body } = bodyOf(new TextSource(TEXTS));
  const [fast, slow] = [body.joinFirst(), body.join()];
  await fast.read();
  await fast.read();
  assertEquals(body.heldBytes, 20);
  slow?.close();
  slow?.close();
  assertEquals(body.heldBytes, 0);
});

Deno.test("the last to leave is told, and nobody else", async () => {
  let idle = 0;
  const body = new SharedBody(new TextSource(TEXTS), {
    onError: () => {},
    onIdle: () => idle++,
  });
  const [first, second] = [body.joinFirst(), body.join()];
  await first.read();
  first.close();
  assertEquals(idle, 0);
  second?.close();
  assertEquals(idle, 1);
});

Deno.test("a failure reaches all readers, and is told once", async () => {
  const source = new TextSource(TEXTS);
  const { body, errors } = bodyOf(source);
  const readers = [body.joinFirst(), body.join()];
  assertEquals(await readText(readers[0]), TEXTS[0]);
  const failure = new Error("no more");
  source.next = () => Promise.reject(failure);
  await assertRejects(() => readRest(readers[0]), Error, "no more");
  assertEquals(await readText(readers[1]), TEXTS[0]);
  await assertRejects(() => readRest(readers[1]), Error, "no more");
  await assertRejects(() => readRest(readers[1]), Error, "no more");
  assertEquals(errors, [failure]);
});
