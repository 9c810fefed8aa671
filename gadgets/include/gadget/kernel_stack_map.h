/* SPDX-License-Identifier: Apache-2.0 */

#ifndef __GADGET_KERNEL_STACK_MAP_H
#define __GADGET_KERNEL_STACK_MAP_H

#include <bpf/bpf_helpers.h>
#include <gadget/types.h>

#define KERNEL_MAX_STACK_DEPTH 127
#define KERNEL_STACK_MAP_MAX_ENTRIES 10000

/* User space looks up stacks here: the name is part of the contract. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, KERNEL_MAX_STACK_DEPTH * sizeof(__u64));
	__uint(max_entries, KERNEL_STACK_MAP_MAX_ENTRIES);
} ig_kstack SEC(".maps");

/* Id of the current kernel stack, or a negative errno, as bpf_get_stackid() has it. */
static __always_inline long gadget_get_kernel_stack(void *ctx)
{
	return bpf_get_stackid(ctx, &ig_kstack, BPF_F_FAST_STACK_CMP);
}

#endif /* __GADGET_KERNEL_STACK_MAP_H */
