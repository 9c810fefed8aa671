// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include <gadget/bits.bpf.h>
#include <gadget/macros.h>
#include <gadget/maps.bpf.h>
#include <gadget/mntns_filter.h>
#include <gadget/types.h>

/* The last slot holds everything from 2^25 us (half a minute) on. */
#define SLOTS 27

#define PF_WQ_WORKER 0x00000020
#define PF_KTHREAD 0x00200000

struct hist_key {
	gadget_comm comm[TASK_COMM_LEN];
};

struct hist_value {
	gadget_histogram_slot__u64 latency[SLOTS];
	__u64 latency_sum; /* us */
	__u64 __sum_ns; /* latency_sum without the loss of rounding each time */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct hist_key);
	__type(value, struct hist_value);
} hists SEC(".maps");

GADGET_MAPITER(runqlat, hists);

const volatile gadget_pid targ_pid = 0;
GADGET_PARAM(targ_pid);

/* The run_delay of a task when it last left a CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} delays SEC(".maps");

static const struct hist_value no_latency;

static __always_inline bool is_wanted(struct task_struct *task)
{
	if (targ_pid && (__u32)task->tgid != targ_pid)
		return false;
	if (gadget_filter_by_mntns) {
		struct nsproxy *nsproxy = task->nsproxy;

		return nsproxy && !gadget_should_discard_mntns_id(nsproxy->mnt_ns->ns.inum);
	}
	return true;
}

/*
 * The name, short enough to group by: all workers of work queues are `kworker`, and other threads of
 * the kernel that exist once per CPU lose the number behind the slash.
 */
static __always_inline void group_name(struct hist_key *key, struct task_struct *task)
{
	static const char kworker[TASK_COMM_LEN] = "kworker";

	if (task->flags & PF_WQ_WORKER) {
		__builtin_memcpy(key->comm, kworker, sizeof(key->comm));
		return;
	}
	__builtin_memcpy(key->comm, task->comm, sizeof(key->comm));
	if (task->flags & PF_KTHREAD) {
		bool is_cut = false;

		for (int i = 0; i < TASK_COMM_LEN; i++) {
			is_cut = is_cut || key->comm[i] == '/';
			if (is_cut)
				key->comm[i] = '\0';
		}
	}
}

/*
 * How long `task`, which now leaves the CPU, had waited before it got it; -1 if unknown. The kernel
 * keeps the book: run_delay sums up the waits of a task, also those in queues that it was moved from.
 * So neither the clock nor a probe where tasks wake up is needed.
 */
static __always_inline __s64 waited_ns(struct task_struct *task)
{
	__u64 run_delay = task->sched_info.run_delay;
	__u64 *before = bpf_task_storage_get(&delays, task, NULL, 0);
	__s64 waited = -1;

	if (before) {
		waited = run_delay - *before;
		*before = run_delay;
		return waited;
	}
	/* Its first time on a CPU? Then all of it is this one wait. */
	if (task->sched_info.pcount == 1)
		waited = run_delay;
	bpf_task_storage_get(&delays, task, &run_delay, BPF_LOCAL_STORAGE_GET_F_CREATE);
	return waited;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct hist_value *hist;
	struct hist_key key;
	__s64 waited;
	__u64 slot;

	if (!prev->pid || !is_wanted(prev))
		return 0;
	waited = waited_ns(prev);
	if (waited < 0)
		return 0;

	group_name(&key, prev);
	hist = bpf_map_lookup_or_try_init(&hists, &key, &no_latency);
	if (!hist)
		return 0;
	slot = get_slot_idx((__u64)waited / 1000);
	if (slot >= SLOTS)
		slot = SLOTS - 1;
	/* Plain additions: per CPU, and the kernel never nests a program in itself. */
	hist->latency[slot] += 1;
	hist->__sum_ns += waited;
	hist->latency_sum = hist->__sum_ns / 1000;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
