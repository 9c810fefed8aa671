// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

/* Values so large that a batch has room for one entry at first, less than a bucket may hold. */

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

struct big_value {
	__u64 first;
	__u8 rest[3 * 1024 * 1024];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct big_value);
} big SEC(".maps");

char LICENSE[] SEC("license") = "GPL";
