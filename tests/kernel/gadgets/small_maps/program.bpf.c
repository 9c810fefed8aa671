// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

/*
 * Maps with little room. `fill` with { n, base } adds 1 for each id from base to base + n - 1; an id
 * that a map has no room for is counted in `refused`.
 */

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include <gadget/macros.h>
#include <gadget/maps.bpf.h>
#include <gadget/types.h>

#define SIZE 64

#define DEFINE_MAP(name, map_type)       \
	struct {                             \
		__uint(type, map_type);          \
		__uint(max_entries, SIZE);       \
		__type(key, __u32);              \
		__type(value, gadget_counter__u64); \
	} name##_map SEC(".maps");           \
	GADGET_MAPITER(name, name##_map)

DEFINE_MAP(hash, BPF_MAP_TYPE_HASH);
DEFINE_MAP(percpu, BPF_MAP_TYPE_PERCPU_HASH);
DEFINE_MAP(lru, BPF_MAP_TYPE_LRU_HASH);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, gadget_counter__u64);
} refused_map SEC(".maps");
GADGET_MAPITER(refused, refused_map);

struct fill_args {
	__u64 n;
	__u64 base;
};

static const __u64 no_count;

static __always_inline void add_to(__u64 *count)
{
	__u32 zero = 0;

	if (!count)
		count = bpf_map_lookup_elem(&refused_map, &zero);
	if (count)
		*count += 1;
}

static long fill_one(__u32 i, __u64 *base)
{
	__u32 id = *base + i;

	add_to(bpf_map_lookup_or_try_init(&hash_map, &id, &no_count));
	add_to(bpf_map_lookup_or_try_init(&percpu_map, &id, &no_count));
	add_to(bpf_map_lookup_or_try_init(&lru_map, &id, &no_count));
	return 0;
}

SEC("syscall")
int fill(struct fill_args *args)
{
	__u64 base = args->base;

	bpf_loop(args->n, fill_one, &base, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
