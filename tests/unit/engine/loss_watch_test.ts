// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import type { Losses } from "../../../src/engine/lost_samples.ts";
import { LossWatch } from "../../../src/engine/loss_watch.ts";
import type { Runner } from "../../../src/engine/runner.ts";

const SECOND = 1000;

/** A watch of one data source, and what it has said. */
function watched(): {
  watch: LossWatch;
  said: string[];
  state: { lost: number; fullReads: number };
} {
  const state = { lost: 0, fullReads: 0 };
  const said: string[] = [];
  const runner = {
    spec: { name: "d" },
    lost: (): Losses => ({ buffer_full: state.lost }),
    mapStats: () => ({ fullReads: state.fullReads, maxEntries: 8 }),
  };
  return {
    watch: new LossWatch([runner as unknown as Runner], (text) => said.push(text)),
    said,
    state,
  };
}

const LOST = (count: number) => `data source d: ${count} events lost: the buffer was full`;

Deno.test("what goes on is told more and more seldom, and nothing of it is left out", () => {
  const { watch, said, state } = watched();
  const toldAt: number[] = [];
  for (let nowMs = 0; nowMs <= 200 * SECOND; nowMs += 10 * SECOND) {
    state.lost += 5;
    const before = said.length;
    watch.tell(nowMs);
    if (said.length > before) toldAt.push(nowMs / SECOND);
  }
  watch.stop();
  assertEquals(toldAt, [0, 10, 30, 70, 150]);
  assertEquals(said, [5, 5, 10, 20, 40, 25].map(LOST));
});

Deno.test("what has ended is told at once when it comes back", () => {
  const { watch, said, state } = watched();
  for (const nowMs of [0, 10 * SECOND, 30 * SECOND]) {
    state.lost++;
    watch.tell(nowMs);
  }
  watch.tell(300 * SECOND);
  state.lost++;
  watch.tell(310 * SECOND);
  state.lost++;
  watch.tell(320 * SECOND);
  watch.stop();
  assertEquals(said, Array(5).fill(LOST(1)));
});

Deno.test("one trouble does not keep another from being told", () => {
  const { watch, said, state } = watched();
  state.lost = 1;
  watch.tell(0);
  state.fullReads = 1;
  state.lost = 2;
  watch.tell(1 * SECOND);
  watch.stop();
  assertEquals(said.length, 3);
  assertEquals(said[1].startsWith("data source d: its map was full with 8 entries"), true);
});
