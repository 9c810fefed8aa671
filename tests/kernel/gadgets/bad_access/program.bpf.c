// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

/* Refused by the verifier: a lookup that may have failed is not checked. */

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include <gadget/buffer.h>
#include <gadget/macros.h>

struct event {
	__u64 number;
};

GADGET_TRACER_MAP(bad_ring, 64 * 1024);

GADGET_TRACER(events, bad_ring, event);

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} bad_map SEC(".maps");

SEC("raw_tp/sys_enter")
int bad_access(void *ctx)
{
	__u32 key = 1;
	__u64 *value = bpf_map_lookup_elem(&bad_map, &key);

	return *value;
}

char LICENSE[] SEC("license") = "GPL";
