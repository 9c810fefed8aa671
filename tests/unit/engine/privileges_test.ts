// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import {
  type Capability,
  missingCapabilities,
  missingToLeaveRoot,
} from "../../../src/engine/privileges.ts";

const BITS: Readonly<Record<Capability, bigint>> = {
  CAP_SETGID: 1n << 6n,
  CAP_SETUID: 1n << 7n,
  CAP_SYS_ADMIN: 1n << 21n,
  CAP_SYS_RESOURCE: 1n << 24n,
  CAP_PERFMON: 1n << 38n,
  CAP_BPF: 1n << 39n,
};

function facts(
  capabilities: readonly Capability[],
  { release = "6.1.0-18-amd64", lockedMemory = "8388608" }: {
    release?: string;
    lockedMemory?: string;
  } = {},
) {
  const effective = capabilities.reduce((bits, capability) => bits | BITS[capability], 0n);
  const digits = effective.toString(16).padStart(16, "0");
  return {
    // The sets that do not count are full.
    status: `Name:\tkmeter\nCapInh:\t${"f".repeat(16)}\nCapEff:\t${digits}\nCapBnd:\t${
      "f".repeat(16)
    }\n`,
    limits: `Max file locks            unlimited            unlimited            locks\n` +
      `Max locked memory         ${lockedMemory.padEnd(20)} ${lockedMemory}     bytes\n`,
    release,
  };
}

const CASES: readonly [string, Parameters<typeof facts>, Capability[]][] = [
  ["both capabilities", [["CAP_BPF", "CAP_PERFMON"]], []],
  ["CAP_SYS_ADMIN stands for both", [["CAP_SYS_ADMIN"]], []],
  ["none", [[]], ["CAP_BPF", "CAP_PERFMON"]],
  ["CAP_BPF alone", [["CAP_BPF"]], ["CAP_PERFMON"]],
  ["CAP_PERFMON alone", [["CAP_PERFMON", "CAP_SYS_RESOURCE"]], ["CAP_BPF"]],
  [
    "kernel 5.10 counts maps as locked memory",
    [["CAP_BPF", "CAP_PERFMON"], { release: "5.10.0" }],
    ["CAP_SYS_RESOURCE"],
  ],
  [
    "kernel 5.10 where memory may be locked",
    [["CAP_BPF", "CAP_PERFMON"], { release: "5.10.0", lockedMemory: "unlimited" }],
    [],
  ],
  ["kernel 5.11 does not", [["CAP_BPF", "CAP_PERFMON"], { release: "5.11.0" }], []],
  [
    "kernel 5.4 knows CAP_SYS_ADMIN only",
    [["CAP_BPF", "CAP_PERFMON"], { release: "5.4.0", lockedMemory: "unlimited" }],
    ["CAP_SYS_ADMIN"],
  ],
  ["kernel 5.4", [["CAP_SYS_ADMIN"], { release: "5.4.0" }], ["CAP_SYS_RESOURCE"]],
];
for (const [name, given, missing] of CASES) {
  Deno.test(`missing to load programs: ${name}`, () => {
    assertEquals(missingCapabilities(facts(...given)), missing);
  });
}

Deno.test("missing to leave root: what changes users and groups", () => {
  assertEquals(missingToLeaveRoot(facts(["CAP_SYS_ADMIN"])), ["CAP_SETUID", "CAP_SETGID"]);
  assertEquals(missingToLeaveRoot(facts(["CAP_SETUID"])), ["CAP_SETGID"]);
  assertEquals(missingToLeaveRoot(facts(["CAP_SETUID", "CAP_SETGID"])), []);
});
