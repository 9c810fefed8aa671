// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { COLOURED, PLAIN, type Styles } from "../../../src/text/mod.ts";
import { displayWidth, MetricCamera } from "../../../src/view/mod.ts";
import { assertGolden } from "./_golden.ts";
import { ALL, cells, instrument, INTEGERS, metricSet } from "./_sample_metrics.ts";

function camera(styles: Styles = PLAIN): { take: MetricCamera["take"]; clock: { ms: number } } {
  const clock = { ms: 0 };
  const made = new MetricCamera(styles, { nowMs: () => clock.ms });
  return { take: (sets) => made.take(sets), clock };
}

Deno.test("all metrics as a picture: units for people, bars as long as there is room", () => {
  for (const widthColumns of [80, 40]) {
    const lines = camera().take([ALL]).lines({ maxLines: 40, widthColumns });
    assertGolden(`metric_picture_${widthColumns}.txt`, `${lines.join("\n")}\n`);
  }
});

Deno.test("no picture is wider or higher than the terminal, and what has no room is counted", () => {
  const picture = camera(COLOURED).take([ALL]);
  for (let size = 1; size < 60; size++) {
    const lines = picture.lines({ maxLines: size, widthColumns: size });
    assert(lines.length <= size, `${size}: ${lines.length} lines`);
    for (const line of lines) assert(displayWidth(withoutStyles(line)) <= size, `${size}: ${line}`);
  }
  const few = picture.lines({ maxLines: 12, widthColumns: 80 }).map(withoutStyles);
  assertEquals(few.filter((line) => line.startsWith("…")), [
    "… and 1 more series",
    "… and 3 more series",
  ]);
});

Deno.test("counters have a rate: of the time since the last picture, and of the same key", () => {
  const counted = { ...INTEGERS, signed: false, ...cells([5n, 9n, 1n, 7n, 0n]) };
  const set = metricSet([instrument("bytes", "counter", { unit: "By", column: counted })]);
  const generations = [0, 0, 0, 0, 0];
  const changing = { ...set, generation: (series: number) => generations[series] };
  const { take, clock } = camera();
  const rates = () =>
    take([changing]).lines({ maxLines: 40, widthColumns: 80 }).slice(1)
      .map((line) => /op(\d) +\S+ \S+ +(.+)$/.exec(line)?.slice(1).join(" ") ?? "");
  assertEquals(rates().filter(Boolean), []);
  clock.ms = 2000;
  counted.cells.set([4101n, 9n, 3n, 7n, 0n]);
  generations[2] = 2;
  assertEquals(rates().filter(Boolean), ["0 2 KiB", "4 0 B"]);
  // A picture right behind it goes back further.
  clock.ms = 2100;
  counted.cells[0] = 8405n;
  assertEquals(rates().filter(Boolean), ["0 3.91 KiB", "4 0 B"]);
});

// deno-lint-ignore no-control-regex
const withoutStyles = (line: string) => line.replaceAll(/\x1b\[\d+m/g, "");
