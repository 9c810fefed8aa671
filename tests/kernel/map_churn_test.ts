/** Reads of an LRU map while another thread inserts new keys all the time. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { MapReader } from "../../src/sources/mod.ts";
import { kernelFixture, kernelTest, type Metrics, startGadget } from "./harness.ts";
import { findMap, loadObject, readEntries, runOf, withoutBatchCalls } from "./map_objects.ts";

const MAX_ENTRIES = 10_000;
/** Keys of one run of `churn`; the first HOT keys are hit as often again. */
const KEYS = 5_000;
const HOT = 100;

/** Runs `churn` with ever new keys, beside what `read` does. */
class Churn implements AsyncDisposable {
  /** Runs that have begun: the most that anything can have been counted. */
  runs = 0;
  #isOn = true;
  readonly #ended: Promise<void>;

  constructor(churn: (args: readonly number[]) => Promise<unknown>) {
    this.#ended = this.#run(churn);
  }

  async #run(churn: (args: readonly number[]) => Promise<unknown>): Promise<void> {
    while (this.#isOn) {
      this.runs++;
      await churn([KEYS, HOT + 2 * MAX_ENTRIES + this.runs * KEYS]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOn = false;
    await this.#ended;
  }
}

/** An empty map is read in no time, before the other thread has begun. */
const MAX_READS = 10_000;
const WAYS = {
  "in batches": { isSingle: false, reads: 40 },
  "key by key": { isSingle: true, reads: 15 },
};
for (const [way, { isSingle, reads }] of Object.entries(WAYS)) {
  kernelTest(
    `an LRU map that evicts all the time, read ${way}: each key at most once`,
    async () => {
      using _without = isSingle ? withoutBatchCalls() : undefined;
      using object = await loadObject(await kernelFixture("lru_churn"));
      const reader = new MapReader(findMap(object, "lru_map"));
      await runOf(object, "churn", [2 * MAX_ENTRIES, HOT]);
      await using churn = new Churn((args) => runOf(object, "churn", args));
      for (let read = 0; read < reads || churn.runs <= 10; read++) {
        // Throws if a key comes twice.
        const entries = await readEntries(reader, { remove: false });
        assert(entries.size >= MAX_ENTRIES / 2, `${entries.size} entries`);
      }
    },
  );

  kernelTest(
    `an LRU map that evicts all the time, read ${way}: no total is counted twice, no counter goes down`,
    async () => {
      using _without = isSingle ? withoutBatchCalls() : undefined;
      await using gadget = await startGadget(await kernelFixture("lru_churn"));
      await using churn = new Churn((args) => gadget.run("churn", args));
      let before: Metrics = new Map();
      let returned = 0;
      const isEnough = () => churn.runs > 10 && returned > 1000;
      for (let read = 0; read < reads || !isEnough(); read++) {
        assert(read < MAX_READS, `${churn.runs} runs, ${returned} keys seen again`);
        const metrics = await gadget.metrics("lru");
        const mostHot = BigInt(churn.runs * KEYS / HOT);
        for (const [key, { count }] of metrics) {
          const isHot = Number(key) < HOT;
          // Other keys are hit once in their life.
          assert(count as bigint <= (isHot ? mostHot : 1n), `key ${key} counts ${count}`);
          const last = before.get(key)?.count;
          if (last === undefined) continue;
          assert(count as bigint >= (last as bigint), `key ${key} fell from ${last} to ${count}`);
          returned++;
        }
        before = metrics;
      }
      assertEquals(gadget.stats("lru").map?.fetchErrors, 0);
    },
  );
}
