// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

/* Attaches to a kernel function, after a program that attaches anywhere. */

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include <gadget/buffer.h>
#include <gadget/macros.h>

struct event {
	__u64 number;
};

GADGET_TRACER_MAP(kprobe_ring, 64 * 1024);

GADGET_TRACER(events, kprobe_ring, event);

SEC("raw_tp/sched_process_exit")
int first_program(void *ctx)
{
	return 0;
}

SEC("kprobe/do_sys_openat2")
int on_open(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
