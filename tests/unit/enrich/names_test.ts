// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { ipText } from "../../../src/enrich/addresses.ts";
import { createFileFlagsText, fileModeText } from "../../../src/enrich/file_modes.ts";
import {
  bytesText,
  durationText,
  errnoText,
  numberNames,
  signalText,
  syscallNames,
} from "../../../src/enrich/mod.ts";
import { createTimeText } from "../../../src/enrich/time_layout.ts";

function table<I>(
  what: string,
  cases: readonly (readonly [I, string])[],
  toText: (input: I) => string,
): void {
  Deno.test(`${what} as text`, () => {
    for (const [input, expected] of cases) {
      assertEquals(toText(input), expected, `${what} ${input}`);
    }
  });
}

table("sizes", [
  [0n, "0 B"],
  [999n, "999 B"],
  [1000n, "1.0 kB"],
  [1049n, "1.0 kB"],
  [9949n, "9.9 kB"],
  [9951n, "10 kB"],
  [82_854_982n, "83 MB"],
  [999_499n, "999 kB"],
  [999_500n, "1.0 MB"],
  [2n ** 64n - 1n, "18 EB"],
  [-1500n, "-1.5 kB"],
], bytesText);

table("durations", [
  [0n, "0s"],
  [1n, "1ns"],
  [1_100n, "1.1µs"],
  [1_500_000n, "1.5ms"],
  [999_999_999n, "999.999999ms"],
  [1_000_000_000n, "1s"],
  [60_000_000_000n, "1m0s"],
  [120_250_000_000n, "2m0.25s"],
  [3_600_000_000_000n, "1h0m0s"],
  [2n ** 63n - 1n, "2562047h47m16.854775807s"],
  [-1_500n, "-1.5µs"],
], durationText);

table("modes", [
  [0o100644, "-rw-r--r--"],
  [0o040755, "drwxr-xr-x"],
  [0o120777, "lrwxrwxrwx"],
  [0o140600, "srw-------"],
  [0o010000, "p---------"],
  [0o020620, "crw--w----"],
  [0o060660, "brw-rw----"],
  [0o104755, "-rwsr-xr-x"],
  [0o102644, "-rw-r-Sr--"],
  [0o041777, "drwxrwxrwt"],
  [0o041776, "drwxrwxrwT"],
  [0o644, "-rw-r--r--"],
  [0o170000, "?---------"],
], fileModeText);

table("x86_64 flags", [
  [0, "O_RDONLY"],
  [0o2000001, "O_WRONLY|O_CLOEXEC"],
  [0o1102, "O_RDWR|O_CREAT|O_TRUNC"],
  [3, "O_ACCMODE"],
  [0o200000, "O_RDONLY|O_DIRECTORY"],
  [0o20200002, "O_RDWR|O_TMPFILE"],
  [0o4010000, "O_RDONLY|O_SYNC"],
  [0o10000, "O_RDONLY|O_DSYNC"],
  [0x80000000, "O_RDONLY|0x80000000"],
], createFileFlagsText("x86_64"));

table("aarch64 flags", [
  [0o40000, "O_RDONLY|O_DIRECTORY"],
  [0o100000, "O_RDONLY|O_NOFOLLOW"],
  [0o200000, "O_RDONLY|O_DIRECT"],
  [0o20040000, "O_RDONLY|O_TMPFILE"],
], createFileFlagsText("aarch64"));

table("errors", [
  [1, "EPERM"],
  [11, "EAGAIN"],
  [40, "ELOOP"],
  [41, "error#41"],
  [42, "ENOMSG"],
  [110, "ETIMEDOUT"],
  [133, "EHWPOISON"],
  [134, "error#134"],
  [517, "EPROBE_DEFER"],
  [520, "error#520"],
  [530, "ERECALLCONFLICT"],
], errnoText);

table("signals", [
  [0, "signal#0"],
  [1, "SIGHUP"],
  [17, "SIGCHLD"],
  [31, "SIGSYS"],
  [32, "signal#32"],
  [34, "SIGRTMIN"],
  [64, "SIGRTMIN+30"],
  [65, "signal#65"],
], signalText);

Deno.test("system call tables differ by architecture and reach the newest calls", () => {
  const x86 = syscallNames("x86_64");
  const arm = syscallNames("aarch64");
  assertEquals([x86.get(0), x86.get(59), x86.get(257), x86.get(334)], [
    "SYS_READ",
    "SYS_EXECVE",
    "SYS_OPENAT",
    "SYS_RSEQ",
  ]);
  assertEquals([arm.get(0), arm.get(25), arm.get(56), arm.get(221)], [
    "SYS_IO_SETUP",
    "SYS_FCNTL",
    "SYS_OPENAT",
    "SYS_EXECVE",
  ]);
  for (const names of [x86, arm]) assertEquals(names.get(467), "SYS_OPEN_TREE_ATTR");
  assertEquals([x86.get(400), arm.get(250)], [undefined, undefined]);
});

function address(groups: string): Uint8Array {
  return Uint8Array.from(
    groups.split(":").flatMap((group) => {
      const number = parseInt(group, 16);
      return [number >> 8, number & 255];
    }),
  );
}

// RFC 5952 sections 4 and 5.
table("IPv6 addresses", [
  ["0:0:0:0:0:0:0:0", "::"],
  ["0:0:0:0:0:0:0:1", "::1"],
  ["2001:db8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:0db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["fe80:0:0:0:0:0:0:0", "fe80::"],
  ["2001:DB8:A:B:C:D:E:F", "2001:db8:a:b:c:d:e:f"],
  ["0:0:0:0:0:ffff:c000:0280", "::ffff:192.0.2.128"],
], (groups: string) => ipText(address(groups), 6));

table("time layouts", [
  ["2006-01-02T15:04:05.000000000Z07:00", "2024-02-29T00:05:06.007008009-03:30"],
  ["Mon, 02 Jan 2006 15:04:05 -0700", "Thu, 29 Feb 2024 00:05:06 -0330"],
  ["Monday January 2 3:4:5 PM 06", "Thursday February 29 12:5:6 AM 24"],
  ["15:04:05.999", "00:05:06.007"],
  ["15:04:05.00", "00:05:06.00"],
  ["at _2.1.", "at 29.2."],
], (layout: string) => createTimeText(layout, () => -210)(1_709_177_706_007_008_009n));

Deno.test("times in UTC end in Z, and the zone is asked anew for another second", () => {
  const zones = [0, 120];
  const toText = createTimeText("15:04:05Z07:00", () => zones.shift() ?? 0);
  assertEquals(
    [toText(0n), toText(999_999_999n), toText(1_000_000_000n)],
    ["00:00:00Z", "00:00:00Z", "02:00:01+02:00"],
  );
});

Deno.test("the names of a format are those that its text may be", () => {
  const errnos = numberNames({ type: "errno" }, "x86_64") ?? [];
  const texts = Array.from({ length: 4096 }, (_, errno) => errnoText(errno));
  assertEquals(errnos, texts.filter((text) => /^E/.test(text)));
  const signals = numberNames({ type: "signal" }, "x86_64") ?? [];
  const signalTexts = Array.from({ length: 100 }, (_, signal) => signalText(signal));
  assertEquals(signals, signalTexts.filter((text) => /^SIG/.test(text)));
  assertEquals(numberNames({ type: "syscall" }, "aarch64")?.includes("SYS_OPENAT"), true);
  assertEquals(numberNames({ type: "syscall" }, "aarch64")?.includes("SYS_OPEN"), false);
  assertEquals(numberNames({ type: "uid" }, "x86_64"), undefined);
});
