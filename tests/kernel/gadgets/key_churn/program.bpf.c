// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

/*
 * Keys that come once. `fill` with { n, first } adds 1 for each key from first to first + n - 1; `produced` counts
 * them all, `refused` those that the map had no room for.
 */

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include <gadget/macros.h>
#include <gadget/types.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, gadget_counter__u64);
} keys_map SEC(".maps");
GADGET_MAPITER(keys, keys_map);

#define DEFINE_COUNT(name)                    \
	struct {                                  \
		__uint(type, BPF_MAP_TYPE_ARRAY);     \
		__uint(max_entries, 1);               \
		__type(key, __u32);                   \
		__type(value, __u64);                 \
	} name SEC(".maps")

DEFINE_COUNT(produced);
DEFINE_COUNT(refused);

struct fill_args {
	__u64 n;
	__u64 first;
};

static __always_inline void add(void *map, __u64 n)
{
	__u32 zero = 0;
	__u64 *count = bpf_map_lookup_elem(map, &zero);

	if (count)
		__sync_fetch_and_add(count, n);
}

static long fill_one(__u32 i, __u64 *first)
{
	__u32 key = *first + i;
	__u64 one = 1;

	if (bpf_map_update_elem(&keys_map, &key, &one, BPF_NOEXIST))
		add(&refused, 1);
	return 0;
}

SEC("syscall")
int fill(struct fill_args *args)
{
	__u64 first = args->first;

	bpf_loop(args->n, fill_one, &first, 0);
	add(&produced, args->n);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
