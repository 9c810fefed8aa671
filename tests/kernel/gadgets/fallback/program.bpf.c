// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

/*
 * Events by <gadget/buffer.h>, which sends them to whichever buffer there is. `fill` with { n, 4711 } sends
 * n events on the CPU that runs it, and counts them in `produced`.
 */

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include <gadget/buffer.h>
#include <gadget/macros.h>
#include <gadget/types.h>

struct event {
	gadget_counter__u64 number;
};

GADGET_TRACER_MAP(events_map, 64 * 1024);
GADGET_TRACER(events, events_map, event);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} produced SEC(".maps");

static long send(__u32 i, void **ctx)
{
	struct event *event = gadget_reserve_buf(&events_map, sizeof(*event));
	__u32 zero = 0;
	__u64 *count = bpf_map_lookup_elem(&produced, &zero);

	if (count)
		__sync_fetch_and_add(count, 1);
	if (!event)
		return 0;
	event->number = 1;
	gadget_submit_buf(*ctx, &events_map, event, sizeof(*event));
	return 0;
}

/* A tracepoint that hardly ever comes; `magic` tells a run by hand from a real hit. */
SEC("raw_tp/cgroup_rename")
int fill(__u64 *args)
{
	__u64 n = args[0], magic = args[1];
	void *ctx = args;

	if (magic == 4711)
		bpf_loop(n, send, &ctx, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
