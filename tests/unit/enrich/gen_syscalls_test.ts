// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { groupRuns, parseSyscalls } from "../../../scripts/gen_syscalls.ts";

Deno.test("system calls are taken from a header in runs of consecutive numbers", () => {
  const header = `#ifndef _ASM_UNISTD_64_H
#define __NR_write 1
#define __NR_read 0
#define __NR_clone3 435
#define __NR_syscalls 436
#define __NR_odd (1 + 1)
`;
  assertEquals(groupRuns(parseSyscalls(header)), [
    { first: 0, names: ["read", "write"] },
    { first: 435, names: ["clone3"] },
  ]);
});
