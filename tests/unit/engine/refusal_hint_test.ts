/** What libbpf and the kernel say → the hint. Names are suggested where the kernel tells them. */

// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { hintForRefusal } from "../../../src/engine/refusal_hint.ts";
import { KernelError } from "../../../src/errors.ts";

const EINVAL = 22;
const ESRCH = 3;
const OWN_HINT = "the hint that the error had";

interface Case {
  readonly name: string;
  readonly section?: string;
  readonly errno?: number;
  /** Lines below the message. */
  readonly lines: readonly string[];
  readonly hint: RegExp;
}

const CASES: readonly Case[] = [
  {
    name: "a section that libbpf does not know",
    section: "tracepont/syscalls/sys_enter_open",
    lines: ["prog 'p': missing BPF prog type, check ELF section name 'tracepont/syscalls/…'"],
    hint: /^section "tracepont\/syscalls\/sys_enter_open" is of no kind .* mean "tracepoint"\?/,
  },
  {
    name: "a section like no other",
    section: "zzzzzzzz",
    lines: ["prog 'p': missing BPF prog type, check ELF section name 'zzzzzzzz'"],
    hint: /^section "zzzzzzzz" is of no kind that libbpf knows: kinds: "tracepoint", /,
  },
  {
    name: "no licence",
    lines: [
      "0: (85) call bpf_probe_read_kernel#113",
      "cannot call GPL-restricted function from non-GPL compatible program",
    ],
    hint: /char LICENSE\[\] SEC\("license"\) = "GPL";/,
  },
  {
    name: "no licence, of an LSM program",
    lines: ["LSM programs must have a GPL compatible license"],
    hint: /char LICENSE\[\] SEC\("license"\) = "GPL";/,
  },
  {
    name: "a tracepoint that no kernel has",
    section: "tp_btf/qqqqqqqqqqqqqqqqqqqq",
    errno: ESRCH,
    lines: ["prog 'p': failed to find kernel BTF type ID of 'qqqqqqqqqqqqqqqqqqqq': -3"],
    hint: /^this kernel has no tracepoint qqqqqqqqqqqqqqqqqqqq: cat /,
  },
  {
    name: "a function that no kernel has",
    section: "fexit/qqqqqqqqqqqqqqqqqqqq",
    errno: ESRCH,
    lines: ["prog 'p': failed to find kernel BTF type ID of 'qqqqqqqqqqqqqqqqqqqq': -3"],
    hint: /^this kernel has no function qqqqqqqqqqqqqqqqqqqq, or has it only inlined: \/proc/,
  },
  {
    name: "a helper that this kernel lacks",
    lines: ["0: (85) call bpf_newest_helper#999", "invalid func bpf_newest_helper#999"],
    hint: /^this kernel lets no program like p call bpf_newest_helper: /,
  },
  {
    name: "a helper that is not for this kind of program",
    lines: ["program of this type cannot use helper bpf_skb_load_bytes#26"],
    hint: /^this kernel lets no program like p call bpf_skb_load_bytes: /,
  },
  {
    name: "a member that this kernel lacks, as the kernel puts it",
    lines: ["0: (85) call unknown#195896080", "invalid func unknown#195896080"],
    hint: /^p reads a type or member that this kernel does not have: /,
  },
  {
    name: "an event that is larger than what it is made in",
    lines: [
      "41: (bf) r4 = r0                      ; R0=map_value(map=gadget_heap,ks=4,vs=10240)",
      "43: (85) call bpf_perf_event_output#25",
      "invalid access to map value, value_size=10240 off=0 size=16008",
    ],
    hint: /^events of p are larger than the 10240 bytes .* #define GADGET_MAX_EVENT_SIZE /,
  },
  {
    name: "code that the verifier refuses",
    lines: [
      "1: (61) r0 = *(u32 *)(r1 +0)",
      "R1 invalid mem access 'scalar'",
    ],
    hint: /^the kernel's verifier refuses the code of p; /,
  },
  {
    name: "anything else",
    lines: ["prog 'p': BPF program load failed: Invalid argument", "prog 'p': failed to load: -22"],
    hint: new RegExp(`^${OWN_HINT}$`),
  },
];

for (const { name, section = "raw_tp/sys_enter", errno = EINVAL, lines, hint } of CASES) {
  Deno.test(`hint for ${name}`, () => {
    const message = ["Cannot load g into the kernel", ...lines.map((line) => `  ${line}`)];
    const error = new KernelError(message.join("\n"), { call: "load", errno, hint: OWN_HINT });
    assertMatch(hintForRefusal(error, { name: "p", section }) ?? "", hint);
  });
}

Deno.test("an error without a hint stays without one where nothing is known", () => {
  const error = new KernelError("Cannot attach program p", { call: "attach", errno: EINVAL });
  assertEquals(hintForRefusal(error, { name: "p", section: "usdt/x" }), undefined);
});
