// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

/*
 * Ring buffers at their edges. All programs take { n } and send or try to send n events, number i with
 * key = i % 2, number = i.
 *
 *   fill_small   into a ring of one page
 *   fill_both    one event into each of the two large rings
 *   fill_holes   reserves n events and discards each third one: those with i % 3 = 2
 *   fill_short   events that are shorter than their struct: the key only
 */

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include <gadget/buffer.h>
#include <gadget/macros.h>
#include <gadget/types.h>

struct event {
	__u32 key;
	__u32 __pad;
	gadget_counter__u64 number;
};

GADGET_TRACER_MAP(small, 4096);
GADGET_TRACER_MAP(left, 1024 * 1024);
GADGET_TRACER_MAP(right, 1024 * 1024);

GADGET_TRACER(small_events, small, event);
GADGET_TRACER(left_events, left, event);
GADGET_TRACER(right_events, right, event);

struct fill_args {
	__u64 n;
};

static __always_inline void set_event(struct event *event, __u32 i)
{
	event->key = i % 2;
	event->__pad = 0;
	event->number = i;
}

static long send_small(__u32 i, void *ctx)
{
	struct event *event = gadget_reserve_buf(&small, sizeof(*event));

	if (!event)
		return 0;
	set_event(event, i);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("syscall")
int fill_small(struct fill_args *args)
{
	bpf_loop(args->n, send_small, NULL, 0);
	return 0;
}

static long send_both(__u32 i, void *ctx)
{
	struct event *event = gadget_reserve_buf(&left, sizeof(*event));

	if (event) {
		set_event(event, i);
		bpf_ringbuf_submit(event, 0);
	}
	event = gadget_reserve_buf(&right, sizeof(*event));
	if (event) {
		set_event(event, i);
		bpf_ringbuf_submit(event, 0);
	}
	return 0;
}

SEC("syscall")
int fill_both(struct fill_args *args)
{
	bpf_loop(args->n, send_both, NULL, 0);
	return 0;
}

static long send_holes(__u32 i, void *ctx)
{
	struct event *event = gadget_reserve_buf(&left, sizeof(*event));

	if (!event)
		return 0;
	set_event(event, i);
	if (i % 3 == 2)
		bpf_ringbuf_discard(event, 0);
	else
		bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("syscall")
int fill_holes(struct fill_args *args)
{
	bpf_loop(args->n, send_holes, NULL, 0);
	return 0;
}

static long send_short(__u32 i, void *ctx)
{
	__u32 key = i % 2;

	gadget_output_buf(ctx, &left, &key, sizeof(key));
	return 0;
}

SEC("syscall")
int fill_short(struct fill_args *args)
{
	bpf_loop(args->n, send_short, NULL, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
