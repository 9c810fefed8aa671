// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { type HistogramText, renderHistogram } from "../../../src/view/mod.ts";

const BASE = { title: "latency", unit: "us", labels: [] } as const;

const CASES: readonly [
  what: string,
  Partial<HistogramText> & Pick<HistogramText, "upperBounds" | "counts">,
  string,
][] = [
  [
    "slots begin at the bound before plus one; empty ends are left out",
    { upperBounds: [0, 1, 3, 7, 15], counts: [0, 3, 0, 12, 0, 0] },
    `latency
        us               : count    distribution
         1 -> 1          : 3        |**********                              |
         2 -> 3          : 0        |                                        |
         4 -> 7          : 12       |****************************************|
`,
  ],
  [
    "what is above all bounds has a row; zero begins the first",
    { upperBounds: [1, 4], counts: [8n, 0n, 2n], labels: [["comm", 'a"\x1b\n'], ["pid", "1"]] },
    `latency{comm="a\\"\\u001b\\n",pid="1"}
        us               : count    distribution
         0 -> 1          : 8        |****************************************|
         2 -> 4          : 0        |                                        |
         5 -> +Inf       : 2        |**********                              |
`,
  ],
  [
    "bounds that are no integers show as they are",
    { upperBounds: [-0.5, 0.25], counts: [1, 1, 2], unit: "" },
    `latency
                         : count    distribution
      -Inf -> -0.5       : 1        |********************                    |
      -0.5 -> 0.25       : 1        |********************                    |
      0.25 -> +Inf       : 2        |****************************************|
`,
  ],
  [
    "integer bounds of values with fractions show as they are",
    { upperBounds: [5, 10], counts: [0, 1, 0], isInteger: false },
    `latency
        us               : count    distribution
         5 -> 10         : 1        |****************************************|
`,
  ],
  [
    "counts and bounds of 64 bits are exact and stay aligned",
    { upperBounds: [2 ** 62 - 1, 2 ** 63 - 1], counts: [1n, 2n ** 64n - 1n, 0n] },
    `latency
        us                                 : count                distribution
                  0 -> 4611686018427387903 : 1                    |                                        |
4611686018427387904 -> 9223372036854775807 : 18446744073709551615 |****************************************|
`,
  ],
  [
    "nothing counted says so",
    { upperBounds: [1], counts: [0, 0] },
    "latency\n        no values yet\n",
  ],
];

for (const [what, histogram, expected] of CASES) {
  Deno.test(`histogram: ${what}`, () => {
    assertEquals(renderHistogram({ ...BASE, ...histogram }), expected);
  });
}
