// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { closeDescriptor, openEventFd, resetEventFd, signalEventFd } from "../../../ffi/mod.ts";
import { EventPump, type PumpSource } from "../../../src/engine/event_pump.ts";

/** A buffer with as many records as were put into it. */
class FakeSource implements PumpSource {
  readonly fd = openEventFd();
  readonly fds = [this.fd];
  readonly sizeBytes = 4096;
  readonly isPaced = false;
  isWatched = true;
  isFull = false;
  waiting = 0;
  toldWhileFull = 0;

  put(): void {
    this.waiting++;
    signalEventFd(this.fd);
  }

  drain(): number {
    const taken = this.waiting;
    this.waiting = 0;
    resetEventFd(this.fd);
    return taken;
  }

  tellLost(): void {
    this.toldWhileFull++;
  }

  rest(): void {}
}

/** Polls: the machine may be busy. */
async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!isSo()) {
    assert(performance.now() < endMs, "it has not come to that");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

Deno.test("events wait while nobody who sees rows takes any, and no longer", async () => {
  const [rows, unseen] = [new FakeSource(), new FakeSource()];
  unseen.isWatched = false;
  rows.isFull = true;
  const pump = new EventPump([rows, unseen]);
  try {
    rows.put();
    await until(() => rows.toldWhileFull > 1);
    assertEquals(rows.waiting, 1);
    // Whoever had it full has left.
    rows.isWatched = false;
    await until(() => rows.waiting === 0);
    rows.isWatched = unseen.isWatched = true;
    // One of two finds room.
    unseen.put();
    await until(() => unseen.waiting === 0);
  } finally {
    await pump.stop();
    for (const { fd } of [rows, unseen]) closeDescriptor(fd);
  }
});
