// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import {
  type Connection,
  CONNECTION_LIMITS,
  type ConnectionLimits,
  Connections,
} from "../../../src/export/connections.ts";

/** Connections by name, and what becomes of them. */
function made(limits: Partial<ConnectionLimits> = {}) {
  const events: string[] = [];
  const connections = new Connections({
    onCut: (reason) => events.push(reason),
    limits: { ...CONNECTION_LIMITS, ...limits },
  });
  const admit = (name: string): Connection => {
    const connection = connections.admit(() => events.push(name));
    if (connection === undefined) throw new Error(`${name} was refused`);
    return connection;
  };
  return { connections, events, admit };
}

Deno.test("over the limit who never asked goes first, then who waits to ask again", async () => {
  const { connections, events, admit } = made({ maxConnections: 4 });
  admit("busy").beginAnswer();
  for (const name of ["waits longer", "waits"]) {
    const connection = admit(name);
    connection.beginAnswer();
    connection.endAnswer();
  }
  admit("never asked");
  for (const name of ["1", "2", "3"]) admit(name).beginAnswer();
  const cut = ["never asked", "waits longer", "waits"].flatMap((name) => ["crowded", name]);
  assertEquals(events, cut);
  // All are at work.
  assertEquals(connections.admit(() => {}), undefined);
  assertEquals(events.splice(cut.length), ["crowded"]);
  await connections.shutdown(0);
});

Deno.test("over the limit a client that takes nothing of its answer makes room", async () => {
  const { connections, events, admit } = made({ maxConnections: 2, stalledMs: 0 });
  admit("first").beginAnswer();
  const second = admit("second");
  second.beginAnswer();
  admit("third");
  assertEquals(events, ["crowded", "first"]);
  await connections.shutdown(0);
});

Deno.test("who is late is closed, and counted unless it only waited to ask again", async () => {
  const { events, admit } = made({ headMs: 1, answerMs: 1, idleMs: 1 });
  const slow = admit("slow head");
  const stuck = admit("stuck answer");
  stuck.beginAnswer();
  const idle = admit("idle");
  idle.endAnswer();
  await Promise.all([slow, stuck, idle].map((connection) => connection.ended()));
  assertEquals(events, ["timeout", "slow head", "timeout", "stuck answer", "idle"]);
});

Deno.test("a shutdown waits for answers only, and for a time", async () => {
  const { connections, events, admit } = made();
  admit("idle");
  const busy = admit("busy");
  busy.beginAnswer();
  const stuck = admit("stuck");
  stuck.beginAnswer();
  const stopping = connections.shutdown(20);
  assertEquals(events, ["idle"]);
  busy.end();
  await stopping;
  assertEquals(events, ["idle", "stuck"]);
  assert(connections.count === 0);
});

Deno.test("when descriptors run out fewer are admitted, and as many as before after a while", async () => {
  const { connections, admit } = made({ maxConnections: 64, recoveryMs: 300 });
  const fill = () => {
    for (let count = 0; count < 64; count++) admit(String(count)).beginRequest();
    return connections.count;
  };
  assertEquals(fill(), 64);
  connections.lowerLimit();
  assertEquals([connections.count, fill()], [48, 48]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assertEquals(fill(), 64);
  await connections.shutdown(0);
});
