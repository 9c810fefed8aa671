// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

/*
 * Numbers that a double cannot hold. `send` with { number } sends an event with `number` in all
 * members; the entries of the map are written by the test.
 */

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include <gadget/buffer.h>
#include <gadget/macros.h>
#include <gadget/types.h>

struct event {
	__u64 unsigned_counter;
	__s64 signed_counter;
	__u64 unsigned_gauge;
	__s64 signed_gauge;
	__u64 histogram;
};

GADGET_TRACER_MAP(ring, 64 * 1024);

GADGET_TRACER(events, ring, event);

struct totals {
	gadget_counter__u64 counter;
	gadget_gauge__u64 gauge;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct totals);
} totals_map SEC(".maps");

GADGET_MAPITER(totals, totals_map);

struct send_args {
	__u64 number;
};

SEC("syscall")
int send(struct send_args *args)
{
	struct event *event = gadget_reserve_buf(&ring, sizeof(*event));
	__u64 number = args->number;

	if (!event)
		return 1;
	event->unsigned_counter = number;
	event->signed_counter = number;
	event->unsigned_gauge = number;
	event->signed_gauge = number;
	event->histogram = number;
	gadget_submit_buf(args, &ring, event, sizeof(*event));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
