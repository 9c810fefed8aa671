// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { FetchTimer } from "../../../src/engine/fetch_timer.ts";

/** Runs an action while timers and clock obey `advance`: no test here waits. */
async function withFakeTime(
  action: (
    time: { advance(ms: number): Promise<void>; elapse(ms: number): void },
  ) => Promise<void>,
): Promise<void> {
  const real = { setTimeout, clearTimeout, now: performance.now };
  let nowMs = 100;
  let lastId = 0;
  const due = new Map<number, { atMs: number; run: () => void }>();
  Object.assign(globalThis, {
    setTimeout: (run: () => void, delayMs: number) => {
      due.set(++lastId, { atMs: nowMs + delayMs, run });
      return lastId;
    },
    clearTimeout: (id: number) => due.delete(id),
  });
  performance.now = () => nowMs;
  const advance = async (ms: number) => {
    const endMs = nowMs + ms;
    for (;;) {
      const [next] = [...due].filter(([, { atMs }]) => atMs <= endMs)
        .sort(([, a], [, b]) => a.atMs - b.atMs);
      if (next === undefined) break;
      const [id, { atMs, run }] = next;
      due.delete(id);
      nowMs = Math.max(nowMs, atMs);
      run();
      // A fetch that has no time to wait for ends here.
      await new Promise((resolve) => setImmediate(resolve));
    }
    nowMs = Math.max(nowMs, endMs);
  };
  try {
    await action({ advance, elapse: (ms) => nowMs += ms });
  } finally {
    Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
    performance.now = real.now;
  }
}

/** Counts fetches; none of them may fail. */
function counter() {
  const state = {
    count: 0,
    fetch: () => void state.count++,
    onError: (error: unknown) => {
      throw error;
    },
  };
  return state;
}

Deno.test("the first fetch comes after the first interval, and so on without end", () =>
  withFakeTime(async ({ advance }) => {
    const fetches = counter();
    const timer = new FetchTimer({ intervalMs: 1000, count: 0 }, fetches);
    const counts: number[] = [];
    for (const ms of [999, 1, 999, 1, 5000]) {
      await advance(ms);
      counts.push(fetches.count);
    }
    assertEquals([counts, timer.isExhausted], [[0, 1, 1, 2, 7], false]);
    await timer.stop();
    await advance(5000);
    assertEquals(fetches.count, 7);
  }));

Deno.test("a limited schedule ends after its count", () =>
  withFakeTime(async ({ advance }) => {
    const fetches = counter();
    const timer = new FetchTimer({ intervalMs: 10, count: 3 }, fetches);
    await advance(25);
    assertEquals([fetches.count, timer.isExhausted], [2, false]);
    await advance(1000);
    await timer.finished;
    assertEquals([fetches.count, timer.isExhausted], [3, true]);
  }));

Deno.test("an interval of 0 and a count of 1 fetch at once", () =>
  withFakeTime(async ({ advance }) => {
    const fetches = counter();
    const timer = new FetchTimer({ intervalMs: 0, count: 1 }, fetches);
    await advance(0);
    await timer.finished;
    assertEquals(fetches.count, 1);
  }));

Deno.test("a slow fetch does not shift the next ones, unless it takes longer than an interval", () =>
  withFakeTime(async ({ advance, elapse }) => {
    const startsMs: number[] = [];
    const takesMs = [400, 0, 2500, 0, 0];
    const timer = new FetchTimer({ intervalMs: 1000, count: 0 }, {
      ...counter(),
      fetch: () => {
        startsMs.push(performance.now() - 100);
        elapse(takesMs[startsMs.length - 1] ?? 0);
      },
    });
    for (let step = 0; step < 70; step++) await advance(100);
    await timer.stop();
    assertEquals(startsMs.slice(0, 3), [1000, 2000, 3000]);
    // What was missed is not made up for in a rush.
    assertEquals(startsMs.slice(3).every((start, index) => start >= 5500 + index * 1000), true);
  }));

Deno.test("a fetch that fails is told, and the schedule goes on", () =>
  withFakeTime(async ({ advance }) => {
    const told: unknown[] = [];
    let count = 0;
    const timer = new FetchTimer({ intervalMs: 10, count: 3 }, {
      fetch: () => {
        if (++count === 2) throw new Error("map is gone");
      },
      onError: (error) => told.push(error),
    });
    await advance(1000);
    await timer.finished;
    assertEquals([count, String(told)], [3, "Error: map is gone"]);
  }));

Deno.test("the next fetch waits for one under way, and so does a stop", () =>
  withFakeTime(async ({ advance }) => {
    let count = 0;
    let end = () => {};
    const timer = new FetchTimer({ intervalMs: 10, count: 0 }, {
      fetch: () => {
        count++;
        return new Promise<void>((resolve) => end = resolve);
      },
      onError: () => {},
    });
    await advance(1000);
    const whileUnderWay = count;
    end();
    await advance(0);
    await advance(10);
    let stopped = false;
    const stop = timer.stop().then(() => stopped = true);
    await advance(1000);
    assertEquals([whileUnderWay, count, stopped], [1, 2, false]);
    end();
    await stop;
    await advance(1000);
    assertEquals([count, stopped], [2, true]);
  }));
