/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Sending events to user space: a ring buffer where the kernel has it (5.8), else a perf buffer. The
 * choice is made by CO-RE at load time, the verifier drops the other branch.
 *
 * All functions take the address of the map as `&map`, literally: the name of its loss counter is
 * made from that text.
 */

#ifndef __GADGET_BUFFER_H
#define __GADGET_BUFFER_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* Most bytes that gadget_reserve_buf() can give without ring buffers; 32 KiB is the kernel's limit. */
#ifndef GADGET_MAX_EVENT_SIZE
#ifdef MAX_EVENT_SIZE
#define GADGET_MAX_EVENT_SIZE MAX_EVENT_SIZE
#else
#define GADGET_MAX_EVENT_SIZE 10240
#endif
#endif

/*
 * A map for events, `size` bytes (a power of two, at least a page), and the counter of events for
 * which it had no room. The marker allows the loader to make it a perf buffer.
 */
#define GADGET_TRACER_MAP(name, size)                                      \
	struct {                                                               \
		__uint(type, BPF_MAP_TYPE_RINGBUF);                                \
		__uint(max_entries, size);                                         \
	} name SEC(".maps");                                                   \
	struct {                                                               \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);                           \
		__uint(max_entries, 1);                                            \
		__type(key, __u32);                                                \
		__type(value, __u64);                                              \
	} name##_lost_samples SEC(".maps");                                    \
	const void *gadget_map_tracer_##name __attribute__((unused));

/*
 * Exact: the counter is per CPU, but a program can be interrupted by another one that loses an event
 * on the same CPU, so the increment is atomic. It only grows; readers remember what they saw.
 */
static __always_inline void __gadget_count_lost(void *lost_samples)
{
	__u32 zero = 0;
	__u64 *lost = bpf_map_lookup_elem(lost_samples, &zero);

	if (lost)
		__sync_fetch_and_add(lost, 1);
}

#ifndef GADGET_NO_BUF_RESERVE
/* Where events are put together when there is no ring buffer. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, GADGET_MAX_EVENT_SIZE);
} gadget_heap SEC(".maps");

static __always_inline void *__gadget_reserve_buf(void *map, void *lost_samples, __u64 size)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_ringbuf_reserve)) {
		void *buf = bpf_ringbuf_reserve(map, size, 0);

		if (!buf)
			__gadget_count_lost(lost_samples);
		return buf;
	}

	__u32 zero = 0;
	return bpf_map_lookup_elem(&gadget_heap, &zero);
}

/*
 * Room for one event, or NULL (then the loss is counted). The memory is not zeroed: set every
 * member. What is reserved must be submitted or discarded.
 */
#define gadget_reserve_buf(map, size) __gadget_reserve_buf(map, map##_lost_samples, size)

static __always_inline void gadget_discard_buf(void *buf)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_ringbuf_discard))
		bpf_ringbuf_discard(buf, 0);
}

#endif /* GADGET_NO_BUF_RESERVE */

#define __GADGET_ENOSPC 28
#define __GADGET_E2BIG 7
/* The length of a perf record has 16 bits: of a longer one the kernel drops the upper ones. */
#define __GADGET_PERF_MAX_SIZE 65516

/*
 * A full perf buffer reports its losses itself. That of a CPU that was offline is gone, and reports
 * nothing.
 */
static __always_inline long __gadget_perf_output(void *ctx, void *map, void *lost_samples, void *buf,
						 __u64 size)
{
	long err = -__GADGET_E2BIG;

	if (size <= __GADGET_PERF_MAX_SIZE)
		err = bpf_perf_event_output(ctx, map, BPF_F_CURRENT_CPU, buf, size);
	if (err && err != -__GADGET_ENOSPC)
		__gadget_count_lost(lost_samples);
	return err;
}

#ifndef GADGET_NO_BUF_RESERVE
static __always_inline long __gadget_submit_buf(void *ctx, void *map, void *lost_samples, void *buf,
						__u64 size)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_ringbuf_submit)) {
		bpf_ringbuf_submit(buf, 0);
		return 0;
	}
	return __gadget_perf_output(ctx, map, lost_samples, buf, size);
}

/* Sends what gadget_reserve_buf() gave. */
#define gadget_submit_buf(ctx, map, buf, size) \
	__gadget_submit_buf(ctx, map, map##_lost_samples, buf, size)
#endif /* GADGET_NO_BUF_RESERVE */

static __always_inline long __gadget_output_buf(void *ctx, void *map, void *lost_samples, void *buf,
						__u64 size)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_ringbuf_output)) {
		long err = bpf_ringbuf_output(map, buf, size, 0);

		if (err)
			__gadget_count_lost(lost_samples);
		return err;
	}
	return __gadget_perf_output(ctx, map, lost_samples, buf, size);
}

/* Sends a copy of `size` bytes at `buf`: for events of variable size or built elsewhere. */
#define gadget_output_buf(ctx, map, buf, size) \
	__gadget_output_buf(ctx, map, map##_lost_samples, buf, size)

#endif /* __GADGET_BUFFER_H */
