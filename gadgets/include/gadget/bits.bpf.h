/* SPDX-License-Identifier: Apache-2.0 */

#ifndef __GADGET_BITS_BPF_H
#define __GADGET_BITS_BPF_H

#include <bpf/bpf_helpers.h>

/* floor(log2(v)) by halving: the instruction set has no bit scan. log2(0) = 0. */
static __always_inline __u64 gadget_log2(__u32 v)
{
	__u32 bits = (v > 0xffff) << 4;
	__u32 step;

	v >>= bits;
	step = (v > 0xff) << 3;
	v >>= step;
	bits |= step;
	step = (v > 0xf) << 2;
	v >>= step;
	bits |= step;
	step = (v > 0x3) << 1;
	v >>= step;
	return bits | step | (v >> 1);
}

static __always_inline __u64 gadget_log2l(__u64 v)
{
	__u32 high = v >> 32;

	return high ? gadget_log2(high) + 32 : gadget_log2((__u32)v);
}

/* Macros, since clang knows a `log2` of its own that takes a double. */
#define log2(v) gadget_log2(v)
#define log2l(v) gadget_log2l(v)

/* Slot of `v` in a gadget_histogram_slot array: 0 for 0, else floor(log2(v)) + 1. */
static __always_inline __u64 get_slot_idx(__u64 v)
{
	return v ? gadget_log2l(v) + 1 : 0;
}

#endif /* __GADGET_BITS_BPF_H */
