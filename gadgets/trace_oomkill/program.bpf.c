// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include <gadget/buffer.h>
#include <gadget/macros.h>
#include <gadget/mntns_filter.h>
#include <gadget/types.h>

/* Of every x86 kernel; of arm64 kernels unless they are built for larger pages. */
#define PAGE_SHIFT 12

struct event {
	gadget_timestamp timestamp_raw;
	gadget_mntns_id mntns_id;
	gadget_pid fpid;
	gadget_uid fuid;
	gadget_gid fgid;
	gadget_comm fcomm[TASK_COMM_LEN];
	/* From here on: the victim. */
	gadget_pid tpid;
	gadget_uid tuid_raw;
	__s32 oom_score_adj;
	gadget_comm tcomm[TASK_COMM_LEN];
	gadget_bytes total_vm_raw;
	gadget_bytes anon_rss_raw;
	gadget_bytes file_rss_raw;
	gadget_bytes shmem_rss_raw;
	gadget_bytes page_tables_raw;
};

GADGET_TRACER_MAP(events, 64 * 1024);

GADGET_TRACER(oomkill, events, event);

/* Counters of resident pages are per-CPU counters since 6.2; before, plain ones in a struct. */
struct mm_rss_stat___before_6_2 {
	atomic_long_t count[4];
} __attribute__((preserve_access_index));

struct mm_struct___before_6_2 {
	struct mm_rss_stat___before_6_2 rss_stat;
} __attribute__((preserve_access_index));

static __always_inline __u64 resident_bytes(struct mm_struct *mm, int kind)
{
	struct mm_struct___before_6_2 *former = (void *)mm;
	__s64 pages;

	if (bpf_core_type_exists(struct mm_rss_stat___before_6_2))
		pages = BPF_CORE_READ(former, rss_stat.count[kind].counter);
	else
		pages = BPF_CORE_READ(mm, rss_stat[kind].count);
	return pages > 0 ? (__u64)pages << PAGE_SHIFT : 0;
}

/* The victim's memory is read without a lock, like the kernel does for its own tracepoint. */
static __always_inline void fill_victim(struct event *event, struct task_struct *victim)
{
	struct mm_struct *mm = BPF_CORE_READ(victim, mm);

	event->mntns_id = BPF_CORE_READ(victim, nsproxy, mnt_ns, ns.inum);
	event->tpid = BPF_CORE_READ(victim, tgid);
	event->tuid_raw = BPF_CORE_READ(victim, cred, uid.val);
	event->oom_score_adj = BPF_CORE_READ(victim, signal, oom_score_adj);
	bpf_core_read(event->tcomm, sizeof(event->tcomm), &victim->comm);
	event->total_vm_raw = BPF_CORE_READ(mm, total_vm) << PAGE_SHIFT;
	event->file_rss_raw = resident_bytes(mm, MM_FILEPAGES);
	event->anon_rss_raw = resident_bytes(mm, MM_ANONPAGES);
	event->shmem_rss_raw = resident_bytes(mm, MM_SHMEMPAGES);
	event->page_tables_raw = BPF_CORE_READ(mm, pgtables_bytes.counter);
}

/* Before 6.8 the tracepoint gives only the pid of the victim. */
typedef void (*btf_trace_mark_victim___before_6_8)(void *, int);

static __always_inline bool has_only_pid(void)
{
	return bpf_core_type_matches(btf_trace_mark_victim___before_6_8);
}

/* Runs in the process whose wish for memory could not be granted. */
SEC("raw_tp/mark_victim")
int BPF_PROG(mark_victim, struct task_struct *victim)
{
	struct event *event;
	__u64 uid_gid = bpf_get_current_uid_gid();

	if (gadget_filter_by_mntns && !has_only_pid() &&
	    gadget_should_discard_mntns_id(BPF_CORE_READ(victim, nsproxy, mnt_ns, ns.inum)))
		return 0;
	event = gadget_reserve_buf(&events, sizeof(*event));
	if (!event)
		return 0;

	event->timestamp_raw = bpf_ktime_get_boot_ns();
	event->fpid = bpf_get_current_pid_tgid() >> 32;
	event->fuid = (__u32)uid_gid;
	event->fgid = uid_gid >> 32;
	bpf_get_current_comm(event->fcomm, sizeof(event->fcomm));
	if (has_only_pid()) {
		__builtin_memset(&event->tpid, 0, sizeof(*event) - offsetof(struct event, tpid));
		event->mntns_id = 0;
		event->tpid = (__u32)(unsigned long)victim;
	} else {
		fill_victim(event, victim);
	}
	gadget_submit_buf(ctx, &events, event, sizeof(*event));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
