// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

/* A ring buffer without GADGET_TRACER_MAP: it can be nothing else. */

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include <gadget/macros.h>
#include <gadget/types.h>

struct event {
	gadget_counter__u64 number;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} bare SEC(".maps");

GADGET_TRACER(events, bare, event);

SEC("raw_tp/cgroup_rename")
int send(void *ctx)
{
	struct event event = { .number = 1 };

	bpf_ringbuf_output(&bare, &event, sizeof(event), 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
