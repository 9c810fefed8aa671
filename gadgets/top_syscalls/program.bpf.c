// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include <gadget/filter.h>
#include <gadget/macros.h>
#include <gadget/maps.bpf.h>
#include <gadget/types.h>

/* A return value from -4095 to -1 is an error; from -517 to -512 the kernel will restart the call. */
#define MAX_ERRNO 4095
#define ERESTART_FIRST 512
#define ERESTART_LAST 517

struct syscall_key {
	gadget_syscall syscall_raw;
	gadget_comm comm[TASK_COMM_LEN];
};

struct syscall_stats {
	gadget_counter__u64 calls;
	gadget_counter__u64 errors;
	gadget_counter__u64 time;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct syscall_key);
	__type(value, struct syscall_stats);
} syscalls_map SEC(".maps");

GADGET_MAPITER(syscalls, syscalls_map);

/* The call that a thread is in. Lives with the thread, so nothing is left behind when it is killed. */
struct pending_call {
	__u64 start_ns;
	__s64 nr;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pending_call);
} pending_calls SEC(".maps");

static const struct syscall_stats no_calls;

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long nr)
{
	struct pending_call *call;

	if (gadget_should_discard_data_current())
		return 0;
	call = bpf_task_storage_get(&pending_calls, bpf_get_current_task_btf(), NULL,
				    BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!call)
		return 0;
	call->nr = nr;
	call->start_ns = bpf_ktime_get_ns();
	return 0;
}

static __always_inline bool is_error(long ret)
{
	return ret < 0 && ret >= -MAX_ERRNO && !(ret <= -ERESTART_FIRST && ret >= -ERESTART_LAST);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pending_call *call = bpf_task_storage_get(&pending_calls, task, NULL, 0);
	struct syscall_stats *stats;
	struct syscall_key key;

	/* 0 for a child on its way out of fork: it never went in. */
	if (!call || !call->start_ns)
		return 0;

	key.syscall_raw = call->nr;
	/* Two loads; bpf_get_current_comm() would take longer than all the rest. */
	__builtin_memcpy(key.comm, task->comm, sizeof(key.comm));
	stats = bpf_map_lookup_or_try_init(&syscalls_map, &key, &no_calls);
	if (stats) {
		/* Plain additions: per CPU, and the kernel never nests a program in itself. */
		stats->calls += 1;
		stats->errors += is_error(ret);
		stats->time += bpf_ktime_get_ns() - call->start_ns;
	}
	call->start_ns = 0;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
