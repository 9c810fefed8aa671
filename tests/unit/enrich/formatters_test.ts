// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import type { TextFormat } from "../../../src/decode/mod.ts";
import { createFormatters, type EnrichEnvironment } from "../../../src/enrich/mod.ts";
import { sampleEnvironment } from "./sample_environment.ts";
import { sampleFields, type SampleMember, sampleRecord } from "./sample_record.ts";

function textOf(members: readonly SampleMember[], environment?: EnrichEnvironment): string {
  const fields = sampleFields(members);
  const formatters = createFormatters(fields, environment ?? sampleEnvironment());
  const formatter = formatters.get(fields.findLast(({ format }) => format !== undefined)!);
  return formatter!(sampleRecord(members));
}

const COLOURS: TextFormat = {
  type: "enum",
  enumerators: [{ name: "RED", value: 1n }, { name: "BAD", value: -1n }, {
    name: "HUGE",
    value: 1n << 40n,
  }],
  isSet: false,
  separator: "|",
};
const FLAGS: TextFormat = {
  type: "enum",
  enumerators: [
    { name: "RW", value: 3n },
    { name: "R", value: 1n },
    { name: "W", value: 2n },
    { name: "PAIR", value: 12n },
    { name: "NONE", value: 0n },
  ],
  isSet: true,
  separator: "+",
};

const SCALARS: readonly [TextFormat, SampleMember["kind"], number | bigint | boolean, string][] = [
  [COLOURS, "uint32", 1, "RED"],
  [COLOURS, "int32", -1, "BAD"],
  [COLOURS, "uint32", 0xffffffff, "BAD"],
  [COLOURS, "uint64", 1n << 40n, "HUGE"],
  [COLOURS, "uint32", 7, "7"],
  [COLOURS, "uint64", 0x1_00000001n, "4294967297"],
  [{ ...COLOURS, enumerators: [{ name: "ON", value: 1n }] }, "bool", true, "ON"],
  [FLAGS, "uint32", 3, "R+W"],
  [FLAGS, "uint32", 0, "NONE"],
  [FLAGS, "uint32", 13, "R+PAIR"],
  [FLAGS, "uint32", 0x41, "R+0x40"],
  [FLAGS, "uint8", 0x80, "0x80"],
  [{ ...FLAGS, enumerators: [] }, "uint32", 0, "0"],
  [{ type: "timestamp" }, "uint64", 10_000_000_123n, "2006-01-02T16:04:05.000000123+01:00"],
  [{ type: "timestamp" }, "uint64", 0n, ""],
  [{ type: "timestamp", layout: "15:04:05.000" }, "uint64", 9_500_000_000n, "16:04:04.500"],
  [{ type: "errno" }, "uint32", 2, "ENOENT"],
  [{ type: "errno" }, "int32", -2, "ENOENT"],
  [{ type: "errno" }, "uint32", 0xfffffffe, "ENOENT"],
  [{ type: "errno" }, "int64", -512n, "ERESTARTSYS"],
  [{ type: "errno" }, "uint32", 0, ""],
  [{ type: "errno" }, "uint32", 4000, "error#4000"],
  [{ type: "signal" }, "uint32", 9, "SIGKILL"],
  [{ type: "signal" }, "uint32", 36, "SIGRTMIN+2"],
  [{ type: "syscall" }, "uint64", 257n, "SYS_OPENAT"],
  [{ type: "syscall" }, "uint64", 9999n, "SYS_9999"],
  [{ type: "syscall" }, "uint64", 2n ** 64n - 1n, "SYS_-1"],
  [{ type: "uid" }, "uint32", 1000, "ann"],
  [{ type: "uid" }, "uint32", 7, "uid:7"],
  [{ type: "gid" }, "uint32", 50, "staff"],
  [{ type: "gid" }, "uint32", 7, "gid:7"],
  [{ type: "bytes" }, "uint64", 1000n, "1.0 kB"],
  [{ type: "duration" }, "uint64", 1_500_000n, "1.5ms"],
  [{ type: "file_mode" }, "uint32", 0o100644, "-rw-r--r--"],
  [{ type: "file_flags" }, "uint32", 0o100, "O_RDONLY|O_CREAT"],
  [{ type: "l4_proto" }, "uint16", 6, "TCP"],
  [{ type: "l4_proto" }, "uint16", 200, "proto#200"],
  [{ type: "kernel_stack" }, "uint32", 5, "5"],
];

for (const [format, kind, value, expected] of SCALARS) {
  const shown = format.type === "enum" && format.isSet ? "enum set" : format.type;
  Deno.test(`${shown} ${kind} ${value} shows as ${JSON.stringify(expected)}`, () => {
    assertEquals(textOf([{ name: "f", kind, value, format }]), expected);
  });
}

Deno.test("formats of arrays show each element", () => {
  const member: SampleMember = {
    name: "f",
    kind: "uint32",
    arrayLength: 2,
    value: [1, 13],
    format: { type: "errno" },
  };
  assertEquals(textOf([member]), "EPERM,EACCES");
});

Deno.test("kernel stacks come from the resolver that the engine gives", () => {
  const environment = sampleEnvironment({ kernelStack: (id) => `schedule; stack${id}; ` });
  const member: SampleMember = {
    name: "f",
    kind: "uint32",
    value: 5,
    format: { type: "kernel_stack" },
  };
  assertEquals(textOf([member], environment), "schedule; stack5; ");
});

const V4 = Uint8Array.of(1, 2, 3, 4);
const V6_LOOPBACK = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

/** `struct gadget_l4endpoint_t src`, as field derivation lays it out. */
function endpoint(address: Uint8Array, version: number): SampleMember[] {
  return [
    { name: "src", kind: "bytes", sizeBytes: 0, format: { type: "l4_endpoint" } },
    { name: "src.addr_raw", kind: "bytes", sizeBytes: 16, value: address, hidden: true },
    { name: "src.port", kind: "uint16", value: 80 },
    { name: "src.version", kind: "uint8", value: version },
  ];
}

const ENDPOINTS: readonly [Uint8Array, number, string, string][] = [
  [V4, 4, "1.2.3.4", "1.2.3.4:80"],
  [Uint8Array.of(255, 0, 0, 1), 4, "255.0.0.1", "255.0.0.1:80"],
  [V6_LOOPBACK, 6, "::1", "[::1]:80"],
  [V4, 0, "", ""],
  [V4, 7, "", ""],
];
for (const [address, version, ip, whole] of ENDPOINTS) {
  Deno.test(`IP version ${version} of ${address} shows as "${ip}" and "${whole}"`, () => {
    const members = endpoint(address, version);
    assertEquals(textOf(members), whole);
    const text: SampleMember = {
      name: "src.addr",
      kind: "bytes",
      sizeBytes: 16,
      over: "src.addr_raw",
      format: { type: "ip_addr" },
    };
    assertEquals(textOf([...members, text]), ip);
  });
}

Deno.test("an l3 endpoint as a whole shows its address", () => {
  const members: SampleMember[] = [
    { name: "dst", kind: "bytes", sizeBytes: 0, format: { type: "ip_addr" } },
    { name: "dst.addr_raw", kind: "bytes", sizeBytes: 16, value: V6_LOOPBACK },
    { name: "dst.version", kind: "uint8", value: 6 },
  ];
  assertEquals(textOf(members), "::1");
});

Deno.test("addresses and endpoints without the members they need are empty", () => {
  assertEquals(
    textOf([{ name: "a", kind: "bytes", sizeBytes: 16, value: V4, format: { type: "ip_addr" } }]),
    "",
  );
  assertEquals(
    textOf([{ name: "e", kind: "bytes", sizeBytes: 20, format: { type: "l4_endpoint" } }]),
    "",
  );
});

Deno.test("fields without a format have no formatter", () => {
  const fields = sampleFields([{ name: "a", kind: "uint32" }]);
  assertEquals(createFormatters(fields, sampleEnvironment()).size, 0);
});
