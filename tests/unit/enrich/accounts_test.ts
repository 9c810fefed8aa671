// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { findAccount } from "../../../src/enrich/mod.ts";

const PASSWD = `root:x:0:0:root:/root:/bin/bash
# a comment: not:an:account
nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin
twin:x:65534:100::/:/bin/sh
1000:x:7:8::/:/bin/sh
alice:x:1000:1001::/home/alice:/bin/sh
nogroup:x:1002
broken:x:-1:1::/:/bin/sh
:x:5:5::/:/bin/sh
`;

const CASES: readonly [string, [string, number, number] | undefined][] = [
  ["root", ["root", 0, 0]],
  ["nobody", ["nobody", 65534, 65533]],
  ["65534", ["nobody", 65534, 65533]],
  ["1000", ["1000", 7, 8]],
  ["alice", ["alice", 1000, 1001]],
  ["0", ["root", 0, 0]],
  ["00", undefined],
  ["", undefined],
  ["Alice", undefined],
  ["nogroup", undefined],
  ["broken", undefined],
  ["5", undefined],
];
for (const [text, expected] of CASES) {
  Deno.test(`the account of "${text}" is ${expected?.[0] ?? "not there"}`, () => {
    const account = findAccount(PASSWD, text);
    assertEquals(account && [account.name, account.uid, account.gid], expected);
  });
}
