/* SPDX-License-Identifier: Apache-2.0 */

/* User stacks, by address only: no build ids, no unwinding without frame pointers. */

#ifndef __GADGET_USER_STACK_MAP_H
#define __GADGET_USER_STACK_MAP_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <gadget/macros.h>
#include <gadget/types.h>

#define USER_MAX_STACK_DEPTH 127
#define USER_STACK_MAP_MAX_ENTRIES 10000

const volatile bool collect_ustack = false;
GADGET_PARAM(collect_ustack);

/* User space looks up stacks here: the name is part of the contract. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, USER_MAX_STACK_DEPTH * sizeof(__u64));
	__uint(max_entries, USER_STACK_MAP_MAX_ENTRIES);
} ig_ustack SEC(".maps");

/* inode.i_mtime is a struct, then __i_mtime (6.7), then two members (6.11). */
struct inode___before_6_7 {
	struct timespec64 i_mtime;
} __attribute__((preserve_access_index));

struct inode___before_6_11 {
	struct timespec64 __i_mtime;
} __attribute__((preserve_access_index));

struct inode___since_6_11 {
	time64_t i_mtime_sec;
	__u32 i_mtime_nsec;
} __attribute__((preserve_access_index));

static __always_inline void __gadget_inode_mtime(void *inode, struct gadget_user_stack *ustack)
{
	struct inode___since_6_11 *since_6_11 = inode;
	struct inode___before_6_11 *before_6_11 = inode;
	struct inode___before_6_7 *before_6_7 = inode;

	if (bpf_core_field_exists(since_6_11->i_mtime_sec)) {
		ustack->mtime_sec = BPF_CORE_READ(since_6_11, i_mtime_sec);
		ustack->mtime_nsec = BPF_CORE_READ(since_6_11, i_mtime_nsec);
	} else if (bpf_core_field_exists(before_6_11->__i_mtime)) {
		ustack->mtime_sec = BPF_CORE_READ(before_6_11, __i_mtime.tv_sec);
		ustack->mtime_nsec = BPF_CORE_READ(before_6_11, __i_mtime.tv_nsec);
	} else {
		ustack->mtime_sec = BPF_CORE_READ(before_6_7, i_mtime.tv_sec);
		ustack->mtime_nsec = BPF_CORE_READ(before_6_7, i_mtime.tv_nsec);
	}
}

/* The user stack of the current task if the parameter collect_ustack is set, else all zero. */
static __always_inline void gadget_get_user_stack(void *ctx, struct gadget_user_stack *ustack)
{
	__builtin_memset(ustack, 0, sizeof(*ustack));
	if (!collect_ustack)
		return;

	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	struct upid *upid = &pid->numbers[0];

	ustack->stack_id =
		bpf_get_stackid(ctx, &ig_ustack, BPF_F_FAST_STACK_CMP | BPF_F_USER_STACK);
	ustack->exe_inode = BPF_CORE_READ(inode, i_ino);
	__gadget_inode_mtime(inode, ustack);
	ustack->pid_level0 = BPF_CORE_READ(upid, nr);
	ustack->pidns_level0 = BPF_CORE_READ(upid, ns, ns.inum);
	if (BPF_CORE_READ(pid, level) >= 1) {
		upid = &pid->numbers[1];
		ustack->pid_level1 = BPF_CORE_READ(upid, nr);
		ustack->pidns_level1 = BPF_CORE_READ(upid, ns, ns.inum);
	}
}

static __always_inline void gadget_get_user_stack_from_kprobe(void *ctx,
							      struct gadget_user_stack *ustack)
{
	gadget_get_user_stack(ctx, ustack);
}

static __always_inline void gadget_get_user_stack_from_perf_event(void *ctx,
								  struct gadget_user_stack *ustack)
{
	gadget_get_user_stack(ctx, ustack);
}

#endif /* __GADGET_USER_STACK_MAP_H */
