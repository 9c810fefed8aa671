// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

/*
 * Structs that are easily read wrong. The test writes random bytes into the map and compares what
 * kmeter reads with what bpftool prints by BTF. No floats: bpftool cannot print them and stops there.
 */

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include <gadget/macros.h>

enum small_enum {
	SMALL_ZERO = 0,
	SMALL_SEVEN = 7,
};

struct packed_inner {
	__u8 a;
	__u32 b;
	__s64 c;
	__u16 d;
} __attribute__((packed));

typedef struct {
	__s16 x;
	__u32 y;
} point_t;

typedef point_t place_t;

struct odd_key {
	__u8 a;
	__u32 b;
	__s16 c;
} __attribute__((packed));

struct odd_value {
	__s8 i8;
	__u16 u16;
	__s32 i32;
	__u64 u64;
	__s64 i64;
	__int128 i128;
	unsigned __int128 u128;
	__u8 bytes[5];
	__u32 words[3];
	__s64 longs[2];
	__u16 grid[2][3];
	__u32 bits_1 : 1;
	__u32 bits_7 : 7;
	__u32 bits_24 : 24;
	__u64 bits_33 : 33;
	__u64 bits_31 : 31;
	__u8 byte_bits_3 : 3;
	__u8 byte_bits_5 : 5;
	point_t point;
	place_t place;
	struct {
		__u32 anonymous_a;
		union {
			__u64 whole;
			__u32 half;
		};
	};
	struct packed_inner packed;
	struct {
		struct {
			__u16 deep;
		} middle;
	} outer;
} __attribute__((packed));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct odd_key);
	__type(value, struct odd_value);
} odd_map SEC(".maps");

GADGET_MAPITER(odd, odd_map);

char LICENSE[] SEC("license") = "GPL";
