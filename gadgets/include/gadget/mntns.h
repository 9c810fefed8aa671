/* SPDX-License-Identifier: Apache-2.0 */

#ifndef __GADGET_MNTNS_H
#define __GADGET_MNTNS_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <gadget/types.h>

/*
 * The mount namespace of the current task; 0 for an exiting task, which has none.
 * Where the kernel gives a typed pointer (5.11), the members are plain loads instead of helper calls.
 */
static __always_inline gadget_mntns_id gadget_get_current_mntns_id(void)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)) {
		struct task_struct *task = bpf_get_current_task_btf();
		struct nsproxy *nsproxy = task->nsproxy;

		return nsproxy ? nsproxy->mnt_ns->ns.inum : 0;
	}

	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	return BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
}

/* The former name. */
static __always_inline gadget_mntns_id gadget_get_mntns_id(void)
{
	return gadget_get_current_mntns_id();
}

#endif /* __GADGET_MNTNS_H */
