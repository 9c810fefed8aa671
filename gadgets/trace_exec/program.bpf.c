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

#define FNAME_LENGTH 128
#define ARGS_LENGTH 256 /* a multiple of 8, see join_args() */
#define FAILED_MAX_ARGS 20

struct event {
	gadget_timestamp timestamp_raw;
	struct gadget_process proc;
	gadget_errno error_raw;
	__s32 args_count;
	char fname[FNAME_LENGTH];
	char args[ARGS_LENGTH];
};

const volatile bool ignore_failed = false;
GADGET_PARAM(ignore_failed);

GADGET_TRACER_MAP(events, 1024 * 1024);

GADGET_TRACER(exec, events, event);

static __always_inline struct event *reserve_event(void)
{
	struct event *event;

	if (gadget_should_discard_data_current())
		return NULL;
	event = gadget_reserve_buf(&events, sizeof(*event));
	if (!event)
		return NULL;
	event->timestamp_raw = bpf_ktime_get_boot_ns();
	gadget_process_populate(&event->proc);
	return event;
}

/* Ones, then zeroes: eight bytes from the middle minus n on keep what is among the first n characters. */
const __u8 kept[2 * ARGS_LENGTH] = { [0 ... ARGS_LENGTH - 1] = 0xff };

/*
 * Puts spaces for the NULs between arguments and zeroes what follows `length` characters, eight
 * bytes at a time. 0x80 marks the zero bytes of a word exactly: no carry leaves a byte. There is no
 * branch, since the verifier would follow both ways of each: that took 60 ms per program.
 */
static __always_inline void join_args(char *args, __u32 length)
{
	__u64 *words = (__u64 *)args;
	const __u64 low7 = 0x7f7f7f7f7f7f7f7fULL;

	if (length > ARGS_LENGTH)
		length = ARGS_LENGTH;
	for (__u32 i = 0; i < ARGS_LENGTH / 8; i++) {
		__u64 word = words[i];

		word |= (~(((word & low7) + low7) | word) & ~low7) >> 2;
		words[i] = word & *(__u64 *)&kept[ARGS_LENGTH - length + 8 * i];
	}
}

/* The arguments of a new program lie one after the other at the top of its stack. */
static __always_inline void read_args(struct event *event, struct mm_struct *mm)
{
	__u64 start = mm->arg_start;
	__u64 size = mm->arg_end - start;
	__u32 length = 0;

	if (size > ARGS_LENGTH)
		size = ARGS_LENGTH;
	if (size && !bpf_probe_read_user(event->args, size, (void *)start))
		length = size - 1;
	join_args(event->args, length);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(exec_done, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct event *event = reserve_event();

	if (!event)
		return 0;
	event->error_raw = 0;
	event->args_count = bprm->argc;
	bpf_probe_read_kernel_str(event->fname, sizeof(event->fname), bprm->filename);
	read_args(event, task->mm);
	gadget_submit_buf(ctx, &events, event, sizeof(*event));
	return 0;
}

/* Twice the room, so that any start within the first half has space for a longest string. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[2 * ARGS_LENGTH]);
} scratch SEC(".maps");

/* The arguments of a program that did not start are still where its caller put them. */
static __always_inline void read_argv(struct event *event, const char *const *argv)
{
	__u32 zero = 0, used = 0;
	__s32 count = 0;
	char *joined = bpf_map_lookup_elem(&scratch, &zero);

	if (joined) {
		for (; count < FAILED_MAX_ARGS; count++) {
			const char *arg = NULL;
			long size;

			if (bpf_probe_read_user(&arg, sizeof(arg), &argv[count]) || !arg)
				break;
			if (used >= ARGS_LENGTH - 1)
				continue;
			size = bpf_probe_read_user_str(&joined[used & (ARGS_LENGTH - 1)],
						       ARGS_LENGTH, arg);
			if (size > 0)
				used += size;
		}
		if (used > ARGS_LENGTH)
			used = ARGS_LENGTH;
		bpf_probe_read_kernel(event->args, ARGS_LENGTH, joined);
	}
	join_args(event->args, used ? used - 1 : 0);
	event->args_count = count;
}

static __always_inline int exec_failed(struct syscall_trace_exit *ctx, const char *fname,
				       const char *const *argv)
{
	struct event *event = reserve_event();

	if (!event)
		return 0;
	event->error_raw = -ctx->ret;
	if (bpf_probe_read_user_str(event->fname, sizeof(event->fname), fname) < 0)
		event->fname[0] = '\0';
	read_argv(event, argv);
	gadget_submit_buf(ctx, &events, event, sizeof(*event));
	return 0;
}

/*
 * No tracepoint tells of a failed exec, only the exit of the system call. The classic kind is used,
 * since it costs other system calls less than a raw tracepoint that sees them all.
 */
SEC("tracepoint/syscalls/sys_exit_execve")
int execve_exit(struct syscall_trace_exit *ctx)
{
	struct pt_regs *regs;

	if (ctx->ret >= 0 || ignore_failed)
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	return exec_failed(ctx, (const char *)PT_REGS_PARM1_SYSCALL(regs),
			   (const char *const *)PT_REGS_PARM2_SYSCALL(regs));
}

SEC("tracepoint/syscalls/sys_exit_execveat")
int execveat_exit(struct syscall_trace_exit *ctx)
{
	struct pt_regs *regs;

	if (ctx->ret >= 0 || ignore_failed)
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	return exec_failed(ctx, (const char *)PT_REGS_PARM2_SYSCALL(regs),
			   (const char *const *)PT_REGS_PARM3_SYSCALL(regs));
}

char LICENSE[] SEC("license") = "GPL";
