// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

/*
 * An LRU map that evicts all the time. `churn` with { n, base } adds 1 to each key from base to
 * base + n - 1, and after each of them 1 to one of the keys from 0 to HOT - 1 in turn.
 */

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include <gadget/macros.h>
#include <gadget/maps.bpf.h>
#include <gadget/types.h>

#define HOT 100

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 10000);
	__type(key, __u32);
	__type(value, gadget_counter__u64);
} lru_map SEC(".maps");
GADGET_MAPITER(lru, lru_map);

struct churn_args {
	__u64 n;
	__u64 base;
};

static const __u64 no_count;

static __always_inline void add_to(__u32 key)
{
	__u64 *count = bpf_map_lookup_or_try_init(&lru_map, &key, &no_count);

	if (count)
		*count += 1;
}

static long churn_one(__u32 i, __u64 *base)
{
	add_to(*base + i);
	add_to(i % HOT);
	return 0;
}

SEC("syscall")
int churn(struct churn_args *args)
{
	__u64 base = args->base;

	bpf_loop(args->n, churn_one, &base, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
