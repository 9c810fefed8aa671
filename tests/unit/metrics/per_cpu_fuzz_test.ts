/** Random layouts, modes and bytes: the generated reduction is the interpreted one, bit by bit. */

import { forEachSeed } from "../random.ts";
import { checkPerCpu } from "./per_cpu_properties.ts";

Deno.test("the generated reduction of per-CPU values is the interpreted one", () => {
  forEachSeed({ first: 1, count: 1500 }, checkPerCpu);
});
