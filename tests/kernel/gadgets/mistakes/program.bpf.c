// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

/* Each program but the first has a mistake that a hint should name. */

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include <gadget/buffer.h>
#include <gadget/macros.h>

struct event {
	__u64 number;
};

GADGET_TRACER_MAP(mistakes_ring, 64 * 1024);
GADGET_TRACER(events, mistakes_ring, event);

/* Only a program that is refused fills it. */
GADGET_ITER(tasks, event, odd_iter);

SEC("raw_tp/sched_process_exit")
int no_mistake(void *ctx)
{
	struct event *event = gadget_reserve_buf(&mistakes_ring, sizeof(*event));

	if (!event)
		return 0;
	event->number = 1;
	gadget_submit_buf(ctx, &mistakes_ring, event, sizeof(*event));
	return 0;
}

SEC("raw_tpp/sched_process_exit")
int odd_section(void *ctx)
{
	return 0;
}

SEC("raw_tp/sched_proces_exit")
int odd_raw_tp(void *ctx)
{
	return 0;
}

SEC("tp_btf/sched_swich")
int odd_tp_btf(void *ctx)
{
	return 0;
}

SEC("tracepoint/syscalls/sys_entr_openat")
int odd_tracepoint(void *ctx)
{
	return 0;
}

SEC("fentry/do_unlinkatt")
int odd_fentry(void *ctx)
{
	return 0;
}

SEC("kprobe/do_unlinkatt")
int odd_kprobe(void *ctx)
{
	return 0;
}

SEC("iter/tasc")
int odd_iter(void *ctx)
{
	return 0;
}

/* The address comes from nowhere. */
SEC("raw_tp/sched_process_fork")
int wild_read(__u64 *ctx)
{
	return *(volatile int *)ctx[0];
}

struct never___kmeter {
	int was_there;
} __attribute__((preserve_access_index));

SEC("raw_tp/sched_process_exec")
int odd_member(__u64 *ctx)
{
	struct never___kmeter *never = (void *)ctx[0];
	int value;

	bpf_probe_read_kernel(&value, sizeof(value), &never->was_there);
	return value;
}

char LICENSE[] SEC("license") = "GPL";
