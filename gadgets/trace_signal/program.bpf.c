// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include <gadget/buffer.h>
#include <gadget/common.h>
#include <gadget/filter.h>
#include <gadget/macros.h>
#include <gadget/types.h>

/* What became of the signal; the order is that of the kernel's TRACE_SIGNAL_* numbers. */
enum signal_result {
	delivered,
	ignored,
	already_pending,
	overflow_fail,
	lose_info,
};

struct event {
	gadget_timestamp timestamp_raw;
	struct gadget_process proc;
	gadget_signal sig_raw;
	gadget_errno error_raw;
	__s32 code;
	enum signal_result result_raw;
	gadget_pid tpid;
	gadget_tid ttid;
	gadget_comm tcomm[TASK_COMM_LEN];
};

const volatile int target_signal = 0;
GADGET_PARAM(target_signal);

GADGET_TRACER_MAP(events, 512 * 1024);

GADGET_TRACER(signal, events, event);

SEC("tp_btf/signal_generate")
int BPF_PROG(signal_generate, int sig, struct kernel_siginfo *info, struct task_struct *task,
	     int group, int result)
{
	struct event *event;

	if (target_signal && sig != target_signal)
		return 0;
	if (gadget_should_discard_data_current())
		return 0;
	event = gadget_reserve_buf(&events, sizeof(*event));
	if (!event)
		return 0;

	event->timestamp_raw = bpf_ktime_get_boot_ns();
	gadget_process_populate(&event->proc);
	event->sig_raw = sig;
	event->error_raw = 0;
	/* 0 and 1 are no addresses: SEND_SIG_NOINFO (from a user) and SEND_SIG_PRIV (from the kernel). */
	if ((unsigned long)info > 1) {
		event->error_raw = BPF_CORE_READ(info, si_errno);
		event->code = BPF_CORE_READ(info, si_code);
	} else {
		event->code = info ? 0x80 : 0;
	}
	event->result_raw = result;
	event->tpid = task->tgid;
	event->ttid = task->pid;
	__builtin_memcpy(event->tcomm, task->comm, sizeof(event->tcomm));
	gadget_submit_buf(ctx, &events, event, sizeof(*event));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
