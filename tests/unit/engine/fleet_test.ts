// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { Fleet, type FleetObserver, type InstanceRequest } from "../../../src/engine/fleet.ts";
import { RunningGadget } from "../../../src/engine/running_gadget.ts";
import { UsageError } from "../../../src/errors.ts";

/** What a fleet needs of a gadget. */
class FakeGadget {
  readonly name: string;
  readonly #log: string[];
  readonly end = Promise.withResolvers<void>();
  /** Thrown when it is stopped. */
  fault: Error | undefined;

  readonly #isRefused: boolean;

  constructor(name: string, log: string[], isRefused: boolean) {
    this.name = name;
    this.#log = log;
    this.#isRefused = isRefused;
  }

  async begin(instead?: FakeGadget): Promise<void> {
    await Promise.resolve();
    if (this.#isRefused) throw new UsageError("operator refuses");
    this.#log.push(`started ${this.name}${instead === undefined ? "" : ` for ${instead.name}`}`);
  }

  finished(): Promise<void> {
    return this.end.promise;
  }

  async stop(): Promise<void> {
    await Promise.resolve();
    this.#log.push(`stop ${this.name}`);
    if (this.fault !== undefined) throw this.fault;
  }
}

/** A fleet whose gadgets are fakes, and what has happened so far. */
class FakeFleet implements Disposable {
  readonly log: string[] = [];
  readonly gadgets: FakeGadget[] = [];
  readonly fleet: Fleet;
  /** Thrown by the next start, before or after it runs. */
  refusal: { by: "kernel" | "operator" } | undefined;
  readonly #start = RunningGadget.start;

  constructor() {
    const nameOf = (running: unknown) => (running as FakeGadget).name;
    const observer: FleetObserver = {
      stopping: (running) => this.log.push(`stopping ${nameOf(running)}`),
      failed: ({ name }, error) => this.log.push(`failed ${name}: ${error}`),
      endedBadly: (name, error) => this.log.push(`ended badly ${name}: ${error}`),
    };
    this.fleet = new Fleet(observer);
    RunningGadget.start = async (_, { name }) => {
      await Promise.resolve();
      if (this.refusal?.by === "kernel") throw new UsageError("kernel refuses");
      const refuses = this.refusal?.by === "operator";
      const gadget = new FakeGadget(`${name}${this.gadgets.length + 1}`, this.log, refuses);
      this.gadgets.push(gadget);
      return gadget as unknown as RunningGadget;
    };
  }

  get running(): string[] {
    return this.fleet.instances.map(({ id, name, running }) =>
      `${id} ${name} ${running === undefined ? "down" : "up"}`
    );
  }

  [Symbol.dispose](): void {
    RunningGadget.start = this.#start;
  }
}

function request(name: string): InstanceRequest {
  return { gadget: { spec: { name: "gadget" } }, options: { name } } as unknown as InstanceRequest;
}

/** What is under way comes to its end. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

Deno.test("starts that overlap get different ids, and a name once", async () => {
  using fake = new FakeFleet();
  const { fleet } = fake;
  const results = await Promise.allSettled([
    fleet.start(request("a")),
    fleet.start(request("a")),
    fleet.start(request("b")),
  ]);
  assertEquals(results.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  assertEquals(fake.running, ["1 a up", "2 b up"]);
  assertEquals(fleet.find("2").name, "b");
  assertEquals(fleet.find("b").id, 2);
  await fleet.stop("a");
  assertEquals((await fleet.start(request("a"))).id, 3);
  await fleet.close();
  assertEquals(fake.running, []);
});

Deno.test("a gadget that is replaced runs until the new one does", async () => {
  using fake = new FakeFleet();
  await fake.fleet.replace(request("a"));
  fake.gadgets[0].fault = new Error("no end");
  await fake.fleet.replace(request("a"));
  assertEquals(fake.log, [
    "started a1",
    "started a2 for a1",
    "stopping a1",
    "stop a1",
    "ended badly a: Error: no end",
  ]);
  assertEquals(fake.running, ["2 a up"]);
});

Deno.test("a start that is refused leaves what ran as it was", async () => {
  for (const by of ["kernel", "operator"] as const) {
    using fake = new FakeFleet();
    await fake.fleet.start(request("a"));
    fake.refusal = { by };
    await assertRejects(() => fake.fleet.replace(request("a")), UsageError, `${by} refuses`);
    await assertRejects(() => fake.fleet.start(request("b")), UsageError, `${by} refuses`);
    assertEquals(fake.running, ["1 a up"]);
    const stopped = by === "operator" ? ["stop a2", "stop b3"] : [];
    assertEquals(fake.log, ["started a1", ...stopped]);
  }
});

Deno.test("a gadget that fails keeps its place, is stopped, and its name may be had again", async () => {
  using fake = new FakeFleet();
  await fake.fleet.start(request("a"));
  fake.gadgets[0].end.reject(new Error("unreadable"));
  await settled();
  assertEquals(fake.log, ["started a1", "failed a: Error: unreadable", "stopping a1", "stop a1"]);
  assertEquals(fake.running, ["1 a down"]);
  assertEquals(String(fake.fleet.find("a").error), "Error: unreadable");
  await fake.fleet.start(request("a"));
  assertEquals(fake.running, ["2 a up"]);
  // One that fails after it was replaced harms nobody.
  await fake.fleet.replace(request("a"));
  fake.gadgets[1].end.reject(new Error("late"));
  await settled();
  assertEquals(fake.running, ["3 a up"]);
});

Deno.test("the end of all waits for a start under way, stops every gadget, and tells a fault", async () => {
  using fake = new FakeFleet();
  await fake.fleet.start(request("a"));
  await fake.fleet.start(request("b"));
  fake.gadgets[0].fault = new Error("no end");
  const starting = fake.fleet.start(request("c"));
  await assertRejects(() => fake.fleet.close(), Error, "no end");
  await starting;
  assertEquals(fake.log.filter((line) => line.startsWith("stop ")), [
    "stop a1",
    "stop b2",
    "stop c3",
  ]);
  assertEquals(fake.running, []);
});
