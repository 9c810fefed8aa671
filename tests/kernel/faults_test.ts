/** What goes wrong on a machine, and that nothing is lost in silence: produced = counted + lost, by the producer's own counter. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { btfWithoutRingBuffers } from "./btf_of_old_kernels.ts";
import { needsCpuSwitch, pinToCpu, switchCpu } from "./cpus.ts";
import {
  kernelFixture,
  kernelTest,
  type Metrics,
  type StartedGadget,
  startGadget,
  until,
} from "./harness.ts";

const MAGIC = 4711;
const CPU = 1;

/** The processor is back afterwards, whatever happens. */
function takeCpuAway(): Disposable {
  switchCpu("0");
  return { [Symbol.dispose]: () => switchCpu("1") };
}

/** Number that a program keeps in the only element of an array. */
async function numberIn(gadget: StartedGadget, map: string): Promise<number> {
  const [{ value }] = await gadget.mapEntries(map);
  return Number(value);
}

function sumOf(metrics: Metrics, instrument: string): number {
  return [...metrics.values()].reduce((sum, values) => sum + Number(values[instrument]), 0);
}

for (const buffer of ["ring buffer", "perf buffers"]) {
  kernelTest(
    `a CPU goes and comes back (${buffer}): produced = counted + lost`,
    async () => {
      using btf = btfWithoutRingBuffers();
      await using gadget = await startGadget(await kernelFixture("fallback"), {
        ...(buffer === "perf buffers" && { btfFile: btf.path }),
      });
      const send = async (cpu: number) => {
        await using _ = await pinToCpu(cpu);
        await gadget.run("fill", [100, MAGIC]);
      };
      await send(0);
      await send(CPU);
      {
        using _away = takeCpuAway();
        await send(0);
      }
      await send(CPU);
      await send(0);
      const counted = Number((await gadget.metrics("events")).get("")?.sent);
      const { eventsReceived, eventsLost } = gadget.stats("events");
      assertEquals(await numberIn(gadget, "produced"), 500);
      const { buffer_full: full, not_sent: notSent = 0 } = eventsLost;
      assertEquals([counted, eventsReceived, full], [500 - notSent, counted, 0]);
      // A perf buffer of a CPU that comes back is opened anew, some time later.
      assert(notSent <= (buffer === "perf buffers" ? 100 : 0));
    },
    { probe: needsCpuSwitch },
  );
}

/** Memory may grow by this much while keys come and go: buffers that the garbage collector has yet to see. */
const MAX_GROWTH_BYTES = 32 << 20;
const SERIES_LIMIT = 20_000;

kernelTest(
  "a million keys through a map that is drained: memory is flat, every count accounted for",
  async () => {
    const keys = 1_000_000;
    const chunk = 20_000;
    await using gadget = await startGadget(await kernelFixture("key_churn"), {
      annotate: ["keys:ebpf.map.read=drain"],
      schedule: { intervalMs: 1 },
    });
    const resident: number[] = [];
    for (let first = 0; first < keys; first += chunk) {
      await gadget.run("fill", [chunk, first]);
      await until("the map has room", async () => {
        await gadget.running.refresh();
        return gadget.stats("keys").eventsReceived + await numberIn(gadget, "refused") >=
          first + chunk;
      });
      resident.push(Deno.memoryUsage().rss);
    }
    const refused = await numberIn(gadget, "refused");
    assertEquals(await numberIn(gadget, "produced"), keys);
    const metrics = await gadget.metrics("keys");
    assertEquals(sumOf(metrics, "value") + refused, keys);
    assertEquals(metrics.size, SERIES_LIMIT + 1);
    assertFlat(resident);
  },
);

/** The second half needs no more than the first. */
function assertFlat(resident: readonly number[]): void {
  const half = resident.length >> 1;
  const growth = Math.max(...resident.slice(half)) - Math.max(...resident.slice(0, half));
  assert(growth < MAX_GROWTH_BYTES, `grew by ${growth} bytes: ${resident.join()}`);
}
