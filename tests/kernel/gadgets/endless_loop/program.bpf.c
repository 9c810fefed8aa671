// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

/* Refused by the verifier after a log of many thousand lines: a loop whose end it does not see. */

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include <gadget/buffer.h>
#include <gadget/macros.h>

struct event {
	__u64 number;
};

GADGET_TRACER_MAP(endless_ring, 64 * 1024);

GADGET_TRACER(events, endless_ring, event);

SEC("raw_tp/sys_enter")
int endless_loop(void *ctx)
{
	__u64 sum = bpf_ktime_get_ns();

	while (sum != 1) {
		sum = sum * 6364136223846793005ULL + 1442695040888963407ULL;
		sum ^= bpf_get_prandom_u32();
	}
	return sum;
}

char LICENSE[] SEC("license") = "GPL";
