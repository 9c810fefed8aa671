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

#define FNAME_LENGTH 256

#define O_CREAT 00000100
#define __O_TMPFILE 020000000

struct event {
	gadget_timestamp timestamp_raw;
	struct gadget_process proc;
	gadget_errno error_raw;
	__s32 fd;
	gadget_file_flags flags_raw;
	gadget_file_mode mode_raw;
	char fname[FNAME_LENGTH];
};

const volatile bool targ_failed = false;
GADGET_PARAM(targ_failed);

GADGET_TRACER_MAP(events, 4 * 1024 * 1024);

GADGET_TRACER(open, events, event);

static __always_inline struct pt_regs *user_regs(void)
{
	return (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

/* Read once and pinned: the verifier refuses the address that clang would compute for a second read. */
static __always_inline long read_ret(struct syscall_trace_exit *ctx)
{
	long ret = ctx->ret;

	barrier_var(ret);
	return ret;
}

static __always_inline bool is_wanted(long ret)
{
	return !(targ_failed && ret >= 0) && !gadget_should_discard_data_current();
}

/*
 * All is read on the way out: the registers of the call are still there, the page of the name is in
 * memory since the kernel has just read it, and no map must remember anything in between.
 */
static __always_inline int send_event(void *ctx, long ret, const char *fname, __u32 flags, __u32 mode)
{
	struct event *event = gadget_reserve_buf(&events, sizeof(*event));

	if (!event)
		return 0;
	event->timestamp_raw = bpf_ktime_get_boot_ns();
	gadget_process_populate(&event->proc);
	event->error_raw = ret < 0 ? -ret : 0;
	event->fd = ret < 0 ? -1 : ret;
	event->flags_raw = flags;
	/* Otherwise the register holds whatever the caller left in it. */
	event->mode_raw = flags & (O_CREAT | __O_TMPFILE) ? mode : 0;
	if (bpf_probe_read_user_str(event->fname, sizeof(event->fname), fname) < 0)
		event->fname[0] = '\0';
	gadget_submit_buf(ctx, &events, event, sizeof(*event));
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_open")
int open_exit(struct syscall_trace_exit *ctx)
{
	long ret = read_ret(ctx);
	struct pt_regs *regs;

	if (!is_wanted(ret))
		return 0;
	regs = user_regs();
	return send_event(ctx, ret, (const char *)PT_REGS_PARM1_SYSCALL(regs),
			  PT_REGS_PARM2_SYSCALL(regs), PT_REGS_PARM3_SYSCALL(regs));
}

SEC("tracepoint/syscalls/sys_exit_openat")
int openat_exit(struct syscall_trace_exit *ctx)
{
	long ret = read_ret(ctx);
	struct pt_regs *regs;

	if (!is_wanted(ret))
		return 0;
	regs = user_regs();
	return send_event(ctx, ret, (const char *)PT_REGS_PARM2_SYSCALL(regs),
			  PT_REGS_PARM3_SYSCALL(regs), PT_REGS_PARM4_SYSCALL(regs));
}

SEC("tracepoint/syscalls/sys_exit_openat2")
int openat2_exit(struct syscall_trace_exit *ctx)
{
	struct open_how how = {};
	long ret = read_ret(ctx);
	struct pt_regs *regs;

	if (!is_wanted(ret))
		return 0;
	regs = user_regs();
	bpf_probe_read_user(&how, sizeof(how), (const void *)PT_REGS_PARM3_SYSCALL(regs));
	return send_event(ctx, ret, (const char *)PT_REGS_PARM2_SYSCALL(regs), how.flags, how.mode);
}

char LICENSE[] SEC("license") = "GPL";
