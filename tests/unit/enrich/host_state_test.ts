// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { parseAccounts } from "../../../src/enrich/account_names.ts";
import { createBootToWall } from "../../../src/enrich/boot_clock.ts";
import { cached } from "../../../src/enrich/bounded_cache.ts";
import { createAccountNames, hostEnvironment, KernelSymbols } from "../../../src/enrich/mod.ts";

Deno.test("boot times follow the wall clock when it is set, within a second of events", () => {
  const second = 1_000_000_000n;
  let now = { bootNs: 100n * second, wallNs: 1000n * second };
  let readCount = 0;
  const toWall = createBootToWall(() => {
    readCount++;
    return now;
  });
  assertEquals(toWall(100n * second), 1000n * second);
  assertEquals(toWall(40n * second), 940n * second);
  assertEquals(readCount, 1);
  now = { bootNs: 102n * second, wallNs: 2002n * second };
  assertEquals(toWall(102n * second), 2002n * second);
  assertEquals(readCount, 2);
});

Deno.test("boot times that never look new still follow the wall clock", () => {
  let wallNs = 1000n;
  const toWall = createBootToWall(() => ({ bootNs: 500n, wallNs }));
  toWall(1n);
  wallNs = 5000n;
  const seen = new Set<bigint>();
  for (let i = 0; i < 5000; i++) seen.add(toWall(1n));
  assertEquals([...seen], [501n, 4501n]);
});

Deno.test("accounts are read again when the file changes, looking at most once a second", () => {
  const log: string[] = [];
  let nowMs = 0;
  let modifiedMs: number | undefined = 1;
  let text = "ann:x:1000:\n";
  const nameOf = createAccountNames({
    path: "/etc/passwd",
    nowMs: () => nowMs,
    files: {
      modifiedMs: () => (log.push("stat"), modifiedMs),
      readText: () => (log.push("read"), text),
    },
  });
  const at = (timeMs: number): string | undefined => {
    nowMs = timeMs;
    return nameOf(1000);
  };
  assertEquals(log, []);
  assertEquals([at(0), at(999)], ["ann", "ann"]);
  assertEquals(log, ["stat", "read"]);
  [text, modifiedMs] = ["bob:x:1000:\n", 2];
  assertEquals([at(999), at(1000)], ["ann", "bob"]);
  assertEquals(at(2000), "bob");
  assertEquals(log, ["stat", "read", "stat", "read", "stat"]);
  modifiedMs = undefined;
  assertEquals(at(3000), "bob");
});

Deno.test("account lines that are not accounts are passed over", () => {
  const text =
    "# note\n\n+::::::\nbroken\na:x:1\nb:x:1\nc:x:x:\nnobody:x:65534:65534::/:/bin/false\n";
  assertEquals([...parseAccounts(text)], [[1, "a"], [65534, "nobody"]]);
});

const KALLSYMS = `ffffffff81000000 T _stext
ffffffff81000100 t helper
ffffffff81000180 D some_data
ffffffff81000200 W weak_one
ffffffffc0000000 t mod_init\t[mod]
ffffffff81000150 t late_local
0000000000000000 T hidden
`;

Deno.test("kernel symbols: the nearest function below, in whatever order the file has them", () => {
  const symbols = new KernelSymbols(() => KALLSYMS);
  const find = (address: bigint) => {
    const found = symbols.find(address);
    return found && `${found.name}+${found.offsetBytes}`;
  };
  assertEquals(find(0xffffffff81000000n), "_stext+0");
  assertEquals(find(0xffffffff8100014fn), "helper+79");
  assertEquals(find(0xffffffff81000190n), "late_local+64");
  assertEquals(find(0xffffffff81000200n), "weak_one+0");
  assertEquals(find(0xffffffffc0000010n), "mod_init+16");
  assertEquals(find(0xffffffff80ffffffn), undefined);
  assertEquals(find(0xffffffff91000000n), undefined);
  assertEquals(find(0x7fff00000000n), undefined);
  assertEquals(
    symbols.stackText([0xffffffff81000101n, 0x1234n, 0n, 0xffffffff81000000n]),
    "helper; 0x1234; ",
  );
});

Deno.test("kernel symbols are read once, at the first lookup; without them addresses stay", () => {
  let readCount = 0;
  const symbols = new KernelSymbols(() => (readCount++, undefined));
  assertEquals(readCount, 0);
  assertEquals(symbols.stackText([0xffn]), "0xff; ");
  symbols.find(1n);
  assertEquals(readCount, 1);
});

Deno.test("a cache forgets instead of growing", () => {
  const computed: number[] = [];
  const square = cached((value: number) => (computed.push(value), value * value), 2);
  assertEquals([square(1), square(2), square(1), square(3), square(1)], [1, 4, 1, 9, 1]);
  assertEquals(computed, [1, 2, 3, 1]);
});

Deno.test("the host's files give names, and a missing file gives none", () => {
  const { files, nowMs } = hostEnvironment({ readClocks: () => ({ bootNs: 0n, wallNs: 0n }) });
  assertEquals(createAccountNames({ path: "/etc/passwd", files, nowMs })(0), "root");
  assertEquals(createAccountNames({ path: "/etc/no-such-file", files, nowMs })(0), undefined);
  assert(nowMs() > 0);
});
