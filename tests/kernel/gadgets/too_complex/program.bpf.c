// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

/* Refused by the verifier after a million instructions, with a log of as many lines. */

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include <gadget/buffer.h>
#include <gadget/macros.h>

struct event {
	__u64 number;
};

GADGET_TRACER_MAP(complex_ring, 64 * 1024);

GADGET_TRACER(events, complex_ring, event);

SEC("raw_tp/sys_enter")
int too_complex(void *ctx)
{
	__u64 sum = 0;

	for (__u64 i = 0; i < 10 * 1000 * 1000; i++)
		if (bpf_get_prandom_u32() == i)
			sum += i;
	return sum;
}

char LICENSE[] SEC("license") = "GPL";
