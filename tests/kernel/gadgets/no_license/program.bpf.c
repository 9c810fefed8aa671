// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

/* Calls what the kernel keeps for programs under the GPL, and does not say that it is. */

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include <gadget/buffer.h>
#include <gadget/macros.h>

struct event {
	__u64 number;
};

GADGET_TRACER_MAP(license_ring, 64 * 1024);
GADGET_TRACER(events, license_ring, event);

SEC("raw_tp/sched_process_exit")
int unlicensed(__u64 *ctx)
{
	__u64 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), (void *)ctx[0]);
	return number;
}
