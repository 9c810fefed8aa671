// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

/* One program that runs, and 80 that no kernel knows the kind of. */

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include <gadget/buffer.h>
#include <gadget/macros.h>

struct event {
	__u64 number;
};

GADGET_TRACER_MAP(many_ring, 64 * 1024);
GADGET_TRACER(events, many_ring, event);

SEC("raw_tp/sched_process_exit")
int on_exit(void *ctx)
{
	struct event *event = gadget_reserve_buf(&many_ring, sizeof(*event));

	if (!event)
		return 0;
	event->number = 1;
	gadget_submit_buf(ctx, &many_ring, event, sizeof(*event));
	return 0;
}

#define REFUSED(number) SEC("odd/" #number) int odd_##number(void *ctx) { return 0; }
#define TEN(tens) \
	REFUSED(tens##0) REFUSED(tens##1) REFUSED(tens##2) REFUSED(tens##3) REFUSED(tens##4) \
	REFUSED(tens##5) REFUSED(tens##6) REFUSED(tens##7) REFUSED(tens##8) REFUSED(tens##9)

TEN(1) TEN(2) TEN(3) TEN(4) TEN(5) TEN(6) TEN(7) TEN(8)

char LICENSE[] SEC("license") = "GPL";
