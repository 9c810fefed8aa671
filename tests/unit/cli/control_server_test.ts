// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { MAX_PENDING_BYTES } from "../../../src/cli/control_connection.ts";
import {
  type ControlReply,
  type ControlRequest,
  MAX_LINE_BYTES,
  readLines,
} from "../../../src/cli/control_protocol.ts";
import {
  type ControlHandler,
  ControlServer,
  MAX_CONTROL_CONNECTIONS,
} from "../../../src/cli/control_server.ts";
import { UsageError } from "../../../src/errors.ts";

const PS: ControlRequest = { command: "ps" };
const encoder = new TextEncoder();

/** A server in a folder of its own. */
class Listening implements AsyncDisposable {
  readonly path: string;
  readonly #folder: string;
  readonly #server: ControlServer;
  readonly #clients: Client[] = [];

  static async open(handle: ControlHandler): Promise<Listening> {
    const folder = Deno.makeTempDirSync({ prefix: "kmeter_control_" });
    return new Listening(folder, await openServer(`${folder}/kmeter.sock`, handle));
  }

  private constructor(folder: string, server: ControlServer) {
    this.#folder = folder;
    this.#server = server;
    this.path = server.path;
  }

  async connect(): Promise<Client> {
    const client = new Client(await Deno.connect({ transport: "unix", path: this.path }));
    this.#clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
    for (const client of this.#clients) client.leave();
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

function openServer(path: string, handle: ControlHandler): Promise<ControlServer> {
  return ControlServer.open(path, {
    handle,
    describe: (error) => ({ message: (error as Error).message }),
  });
}

class Client {
  readonly #connection: Deno.UnixConn;

  constructor(connection: Deno.UnixConn) {
    this.#connection = connection;
  }

  async send(text: string): Promise<void> {
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  async replies(): Promise<ControlReply[]> {
    const replies: ControlReply[] = [];
    try {
      for await (const line of readLines(this.#connection.readable)) replies.push(JSON.parse(line));
    } catch (error) {
      // The server has closed without having read all.
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
    return replies;
  }

  async ask(request: ControlRequest): Promise<ControlReply[]> {
    await this.send(`${JSON.stringify(request)}\n`);
    return await this.replies();
  }

  leave(): void {
    try {
      this.#connection.close();
    } catch {
      // The server has closed it.
    }
  }
}

function textOf(replies: readonly ControlReply[]): string {
  return replies.map((reply) => reply.kind === "text" ? reply.text : "").join("");
}

/** Polls: the machine may be busy. */
async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!isSo()) {
    assert(performance.now() < endMs, "it has not come to that");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const untilAborted: ControlHandler = (_, { signal }) =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve()));

Deno.test("a file, folder or link at the place of the socket stays", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "kmeter_control_" });
  try {
    const path = `${folder}/precious`;
    Deno.writeTextFileSync(path, "data");
    Deno.symlinkSync(path, `${folder}/link`);
    for (const [place, what] of [["precious", "file"], ["link", "symbolic link"], ["", "folder"]]) {
      const error = await assertRejects(
        () => openServer(`${folder}/${place}`, untilAborted),
        UsageError,
        `there is a ${what} that is no socket`,
      );
      assertMatch(error.hint ?? "", /--socket/);
    }
    assertEquals(Deno.readTextFileSync(path), "data");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a socket in use is refused, and one that was left is taken over", async () => {
  await using listening = await Listening.open((_, session) => {
    session.send({ kind: "text", text: "second" });
    return Promise.resolve();
  });
  await assertRejects(() => openServer(listening.path, untilAborted), UsageError, "another kmeter");
  const left = `${listening.path}.left`;
  // Deno removes no socket when it stops to listen.
  Deno.listen({ transport: "unix", path: left }).close();
  const server = await openServer(left, untilAborted);
  await server.close();
  await assertRejects(() => Deno.lstat(left), Deno.errors.NotFound);
  assertEquals(textOf(await (await listening.connect()).ask(PS)), "second");
});

/** RLIMIT_NOFILE of this process: [soft, hard]. */
const RLIMIT_NOFILE = 7;

Deno.test("without descriptors clients wait, and are served afterwards", async () => {
  const libc = Deno.dlopen("libc.so.6", {
    prlimit: { parameters: ["i32", "i32", "buffer", "buffer"], result: "i32" },
  });
  await using listening = await Listening.open(() => Promise.resolve());
  const before = new BigUint64Array(2);
  libc.symbols.prlimit(0, RLIMIT_NOFILE, null, before);
  const used = new Set([...Deno.readDirSync("/proc/self/fd")].map(({ name }) => Number(name)));
  let free = 3;
  while (used.has(free)) free++;
  let client: Client;
  try {
    // The one that is free is the client's.
    libc.symbols.prlimit(0, RLIMIT_NOFILE, new BigUint64Array([BigInt(free + 1), before[1]]), null);
    client = await listening.connect();
    await new Promise((resolve) => setTimeout(resolve, 50));
  } finally {
    libc.symbols.prlimit(0, RLIMIT_NOFILE, before, null);
    libc.close();
  }
  assertEquals(await client.ask(PS), [{ kind: "end" }]);
});

Deno.test("a text of many MiB comes whole, and no character is cut in two", async () => {
  const table = "😀".repeat(1 << 20) + "\x1b".repeat(1 << 20);
  await using listening = await Listening.open((_, session) => {
    session.send({ kind: "text", text: `x${table}` });
    return Promise.resolve();
  });
  const replies = await (await listening.connect()).ask(PS);
  assertEquals(replies.at(-1), { kind: "end" });
  for (const reply of replies) {
    assert(JSON.stringify(reply).length < MAX_LINE_BYTES);
    assert(reply.kind !== "text" || reply.text.isWellFormed());
  }
  assert(textOf(replies) === `x${table}`);
});

Deno.test("a client that reads slowly learns how many lines it has missed", async () => {
  const row = `${"x".repeat(999)}\n`;
  const rows = row.repeat(500);
  const count = 3 * MAX_PENDING_BYTES / rows.length | 0;
  const full: boolean[] = [];
  await using listening = await Listening.open(async (_, session) => {
    for (let sent = 0; sent < count; sent++) {
      full.push(session.isFull);
      session.send({ kind: "text", text: rows });
    }
    session.send({ kind: "notice", text: "a warning" });
    assertEquals(await session.room(), true);
    full.push(session.isFull);
  });
  const replies = await (await listening.connect()).ask(PS);
  const shown = textOf(replies).length / row.length;
  assert(shown * row.length <= MAX_PENDING_BYTES, `${shown} rows`);
  assertEquals(replies.slice(-3), [
    {
      kind: "notice",
      text: `${500 * count - shown} lines left out: they came faster than they were read`,
    },
    { kind: "notice", text: "a warning" },
    { kind: "end" },
  ]);
  assertEquals([full[0], full.at(-2), full.at(-1)], [false, true, false]);
});

Deno.test("what is no request is told, and the server goes on", async () => {
  await using listening = await Listening.open(() => Promise.resolve());
  const cases: [string, RegExp][] = [
    ["{no json\n", /^The request is not JSON$/],
    ["x".repeat(2 * MAX_LINE_BYTES), /longer than 1048576 bytes/],
  ];
  for (const [text, told] of cases) {
    const client = await listening.connect();
    // The server may have closed before it has all.
    const sent = client.send(text).catch(() => {});
    const replies = await client.replies();
    await sent;
    assertEquals(replies.map(({ kind }) => kind), ["error"]);
    assertMatch((replies[0] as { message: string }).message, told);
  }
  assertEquals(await (await listening.connect()).ask(PS), [{ kind: "end" }]);
});

Deno.test("one client too many is told so; one that leaves makes room", async () => {
  let working = 0;
  await using listening = await Listening.open(async (request, session) => {
    if (request.command === "ps") return;
    working++;
    await untilAborted(request, session);
    working--;
  });
  const clients: Client[] = [];
  for (let count = 0; count < MAX_CONTROL_CONNECTIONS; count++) {
    const client = await listening.connect();
    clients.push(client);
    await client.send(`${JSON.stringify({ command: "logs", follow: true })}\n`);
  }
  await until(() => working === MAX_CONTROL_CONNECTIONS);
  const [refused] = await (await listening.connect()).replies();
  assertMatch((refused as { message: string }).message, /64 commands at a time/);
  clients[0].leave();
  await until(() => working === MAX_CONTROL_CONNECTIONS - 1);
  assertEquals(await (await listening.connect()).ask(PS), [{ kind: "end" }]);
});

Deno.test("a command that is connected can open no other socket, and write no file", async () => {
  await using listening = await Listening.open((_, session) => {
    session.send({ kind: "instances", instances: [] });
    return Promise.resolve();
  });
  const worker = new Worker(new URL("./asking_worker.ts", import.meta.url), {
    type: "module",
    deno: { permissions: "inherit" },
  });
  try {
    const answer = Promise.withResolvers<string[]>();
    worker.onmessage = ({ data }) => answer.resolve(data);
    worker.onerror = ({ message }) => answer.reject(new Error(message));
    worker.postMessage(listening.path);
    assertEquals(await answer.promise, ["read"]);
  } finally {
    worker.terminate();
  }
});
