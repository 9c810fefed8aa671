// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import {
  parseMaxFds,
  parseProcessStat,
  readProcessStats,
} from "../../../src/export/process_stats.ts";

const STAT = "4711 (we) ird) name) S 1 4711 4711 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 12 0 " +
  "123456 987654321 5000 18446744073709551615 1 1 0 0 0 0 0\n";

Deno.test("process times and sizes come from behind the command name, whatever it contains", () => {
  assertEquals(parseProcessStat(STAT, "cpu 1 2 3\nbtime 1700000000\nprocesses 5\n"), {
    cpuSeconds: 3,
    virtualBytes: 987654321,
    startTimeSeconds: 1700001234.56,
  });
});

Deno.test("facts that cannot be read are absent", () => {
  assertEquals(parseProcessStat(undefined, "btime 1\n"), {});
  assertEquals(parseProcessStat(STAT, undefined).startTimeSeconds, undefined);
  assertEquals(parseMaxFds(undefined), undefined);
  assertEquals(parseMaxFds("Max processes 1 2\n"), undefined);
});

Deno.test("the limit of open files is the soft one", () => {
  const limits =
    "Limit Soft Hard Units\nMax open files            1024                 524288  files\n";
  assertEquals(parseMaxFds(limits), 1024);
  assertEquals(parseMaxFds(limits.replace("1024  ", "unlimited  ")), Infinity);
});

Deno.test("an opened file is one more open file descriptor of this process", () => {
  const before = readProcessStats();
  const file = Deno.openSync("/dev/null");
  const after = readProcessStats();
  file.close();
  assertEquals(after.openFds, (before.openFds ?? NaN) + 1);
  const ageSeconds = Date.now() / 1000 - (after.startTimeSeconds ?? 0);
  assert(ageSeconds > -2 && ageSeconds < 3600, `started ${ageSeconds} s ago`);
  assert(
    (after.residentBytes ?? 0) > 1e6 && (after.virtualBytes ?? 0) > (after.residentBytes ?? 0),
  );
});
