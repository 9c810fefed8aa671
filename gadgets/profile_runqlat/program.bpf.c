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

/* When a task began to wait for a CPU; 0 while it runs or sleeps. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} starts SEC(".maps");

#define TASK_RUNNING 0

/* Before Linux 5.14. */
struct task_struct___v513 {
	volatile long state;
} __attribute__((preserve_access_index));

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

static __always_inline bool is_runnable(struct task_struct *task)
{
	if (bpf_core_field_exists(task->__state))
		return task->__state == TASK_RUNNING;
	return BPF_CORE_READ((struct task_struct___v513 *)task, state) == TASK_RUNNING;
}

static __always_inline int woken(struct task_struct *task)
{
	__u64 *start;

	if (!task->pid || !is_wanted(task))
		return 0;
	start = bpf_task_storage_get(&starts, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	/* Waits already if it lost the CPU on its way to sleep: that was when the wait began. */
	if (start && !*start)
		*start = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(sched_wakeup, struct task_struct *task)
{
	return woken(task);
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(sched_wakeup_new, struct task_struct *task)
{
	return woken(task);
}

/*
 * A task that still could run waits from now on. One that goes to sleep does not: a wake-up that came
 * while it ran is forgotten here, or the sleep would count as a wait.
 */
static __always_inline void leave_cpu(struct task_struct *prev, bool preempt, __u64 now)
{
	bool waits = (preempt || is_runnable(prev)) && is_wanted(prev);
	__u64 *start;

	start = bpf_task_storage_get(&starts, prev, NULL, waits ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	if (start)
		*start = waits ? now : 0;
}

static __always_inline void add_wait(struct task_struct *task, __u64 waited_ns)
{
	struct hist_value *hist;
	struct hist_key key;
	__u64 slot;

	group_name(&key, task);
	hist = bpf_map_lookup_or_try_init(&hists, &key, &no_latency);
	if (!hist)
		return;
	slot = get_slot_idx(waited_ns / 1000);
	if (slot >= SLOTS)
		slot = SLOTS - 1;
	/* Plain additions: per CPU, and the kernel never nests a program in itself. */
	hist->latency[slot] += 1;
	hist->__sum_ns += waited_ns;
	hist->latency_sum = hist->__sum_ns / 1000;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u64 now = bpf_ktime_get_ns();
	__u64 *start;

	if (prev->pid)
		leave_cpu(prev, preempt, now);
	if (!next->pid)
		return 0;
	start = bpf_task_storage_get(&starts, next, NULL, 0);
	if (!start || !*start)
		return 0;
	/* Clocks of two CPUs may differ by a few ns. */
	add_wait(next, now > *start ? now - *start : 0);
	*start = 0;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
