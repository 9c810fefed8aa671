// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { renderTable } from "../../../bench/table.ts";

Deno.test("a table is markdown whose columns are aligned", () => {
  const text = renderTable({
    title: "Times",
    columns: ["what", "ns"],
    rows: [["a|b", "1"], ["longer", "12345"]],
    note: "Below.",
  });
  assertEquals(
    text,
    `### Times

| what   |    ns |
| ------ | ----: |
| a\\|b   |     1 |
| longer | 12345 |

Below.
`,
  );
});
