// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include <gadget/bits.bpf.h>
#include <gadget/core_fixes.bpf.h>
#include <gadget/macros.h>
#include <gadget/maps.bpf.h>
#include <gadget/types.h>

/* The last slot holds everything from 2^25 us (half a minute) on. */
#define SLOTS 27
#define DISK_NAME_LENGTH 32
#define OPERATION_MASK 0xff

/* The low byte of a request's cmd_flags, by the numbers of the kernel's enum req_op. */
enum blockio_operation {
	read = 0,
	write = 1,
	flush = 2,
	discard = 3,
	secure_erase = 5,
	zone_append = 7,
	write_zeroes = 9,
	zone_open = 10,
	zone_close = 11,
	zone_finish = 12,
	zone_reset = 13,
	zone_reset_all = 15,
	driver_in = 34,
	driver_out = 35,
};

struct hist_key {
	char disk[DISK_NAME_LENGTH];
	enum blockio_operation operation_raw;
};

struct hist_value {
	gadget_histogram_slot__u64 latency[SLOTS];
	__u64 latency_sum; /* us */
	__u64 __sum_ns; /* latency_sum without the loss of rounding each time */
	gadget_counter__u64 bytes;
	gadget_counter__u64 errors;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct hist_key);
	__type(value, struct hist_value);
} hists SEC(".maps");

GADGET_MAPITER(blockio, hists);

/* Whether the time in the queue of the operating system counts too. */
const volatile bool include_queued = false;
GADGET_PARAM(include_queued);

/* Requests under way. LRU, since a request may end without any of the tracepoints. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct request *);
	__type(value, __u64);
} start_ns SEC(".maps");

static const struct hist_value no_latency;

/* Since 5.11 without the queue as first argument. Empty, so that only the shape is compared. */
struct request___shape {};
struct request_queue___shape {};
typedef void (*btf_trace_block_rq_issue___before_5_11)(void *, struct request_queue___shape *,
						       struct request___shape *);

static __always_inline struct request *first_request(__u64 *ctx)
{
	bool has_queue = bpf_core_type_matches(btf_trace_block_rq_issue___before_5_11);

	return (struct request *)ctx[has_queue ? 1 : 0];
}

SEC("raw_tp/block_rq_insert")
int block_rq_insert(__u64 *ctx)
{
	struct request *rq;
	__u64 now;

	if (!include_queued)
		return 0;
	rq = first_request(ctx);
	now = bpf_ktime_get_ns();
	bpf_map_update_elem(&start_ns, &rq, &now, BPF_ANY);
	return 0;
}

SEC("raw_tp/block_rq_issue")
int block_rq_issue(__u64 *ctx)
{
	struct request *rq = first_request(ctx);
	__u64 now = bpf_ktime_get_ns();

	/* A request that was in the queue keeps the time when it got there. */
	bpf_map_update_elem(&start_ns, &rq, &now, include_queued ? BPF_NOEXIST : BPF_ANY);
	return 0;
}

static __always_inline void fill_key(struct hist_key *key, struct request *rq)
{
	struct gendisk *disk = get_disk(rq);

	/* Also the bytes behind the name are part of the key. */
	__builtin_memset(key, 0, sizeof(*key));
	if (disk)
		bpf_probe_read_kernel_str(key->disk, sizeof(key->disk), disk->disk_name);
	key->operation_raw = BPF_CORE_READ(rq, cmd_flags) & OPERATION_MASK;
}

static __always_inline void add_latency(struct hist_value *hist, __u64 elapsed_ns)
{
	__u64 slot = get_slot_idx(elapsed_ns / 1000);

	if (slot >= SLOTS)
		slot = SLOTS - 1;
	hist->latency[slot] += 1;
	hist->__sum_ns += elapsed_ns;
	hist->latency_sum = hist->__sum_ns / 1000;
}

/* Runs once or, when a request ends in parts, once for each part. */
SEC("raw_tp/block_rq_complete")
int BPF_PROG(block_rq_complete, struct request *rq, int error, unsigned int size)
{
	bool is_last = error || size >= BPF_CORE_READ(rq, __data_len);
	struct hist_value *hist;
	struct hist_key key;
	__u64 *start;

	start = bpf_map_lookup_elem(&start_ns, &rq);
	if (!start)
		return 0;
	fill_key(&key, rq);
	hist = bpf_map_lookup_or_try_init(&hists, &key, &no_latency);
	/* Plain additions: per CPU, and the kernel never nests a program in itself. */
	if (hist && error)
		hist->errors += 1;
	else if (hist)
		hist->bytes += size;
	if (hist && is_last)
		add_latency(hist, bpf_ktime_get_ns() - *start);
	if (is_last)
		bpf_map_delete_elem(&start_ns, &rq);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
