// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

/*
 * Events of any size up to 128 KiB: by <gadget/buffer.h> and, by a call of their own, through a perf event
 * array. Both programs take { n, size | 4711 << 32 } and send n events of that size on the CPU that runs them.
 */

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include <gadget/buffer.h>
#include <gadget/macros.h>
#include <gadget/types.h>

#define MAX_SIZE (128 * 1024)
#define MAX_EVENTS 16

struct event {
	gadget_counter__u64 number;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} bare_map SEC(".maps");

GADGET_TRACER(bare, bare_map, event);

GADGET_TRACER_MAP(fitting_map, 1024 * 1024);
GADGET_TRACER(fitting, fitting_map, event);

struct source {
	__u64 number;
	char rest[MAX_SIZE - sizeof(__u64)];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct source);
} source SEC(".maps");

/* What is sent; NULL if nobody asked for it. The tracepoint hardly ever comes by itself. */
static __always_inline struct source *asked(__u64 *args)
{
	__u32 zero = 0;
	struct source *found = bpf_map_lookup_elem(&source, &zero);

	if (!found || args[1] >> 32 != 4711)
		return NULL;
	found->number = 1;
	return found;
}

SEC("raw_tp/cgroup_rename")
int send_bare(__u64 *args)
{
	__u32 size = args[1];
	struct source *source = asked(args);

	if (!source || size > MAX_SIZE)
		return 0;
	for (__u32 i = 0; i < MAX_EVENTS && i < args[0]; i++)
		bpf_perf_event_output(args, &bare_map, BPF_F_CURRENT_CPU, source, size);
	return 0;
}

SEC("raw_tp/cgroup_rename")
int send_fitting(__u64 *args)
{
	__u32 size = args[1];
	struct source *source = asked(args);

	if (!source || size > MAX_SIZE)
		return 0;
	for (__u32 i = 0; i < MAX_EVENTS && i < args[0]; i++)
		gadget_output_buf(args, &fitting_map, source, size);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
