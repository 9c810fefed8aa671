/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Types with a meaning in user space. The name of the type is what counts: it is found in BTF, also
 * behind private typedefs. Include vmlinux.h (or linux/types.h) first.
 */

#ifndef __GADGET_TYPES_H
#define __GADGET_TYPES_H

#ifndef TASK_COMM_LEN
#define TASK_COMM_LEN 16
#endif

/* Shown as text beside the number. */
typedef __u64 gadget_timestamp; /* ns since boot, from bpf_ktime_get_boot_ns() */
typedef __u32 gadget_signal;
typedef __u32 gadget_errno; /* positive */
typedef __u64 gadget_syscall;
typedef __u32 gadget_uid;
typedef __u32 gadget_gid;
typedef __u32 gadget_file_mode;
typedef __u32 gadget_file_flags;
typedef __u64 gadget_bytes;
typedef __u64 gadget_duration; /* ns */

/* Inode numbers of namespaces: tell which container a row belongs to. */
typedef __u64 gadget_mntns_id;
typedef __u32 gadget_netns_id;

/* Only shape the columns. pid is the process (tgid), tid the thread. */
typedef __u32 gadget_pid;
typedef __u32 gadget_ppid;
typedef __u32 gadget_tid;
typedef __u32 gadget_ptid;
typedef char gadget_comm;
typedef char gadget_pcomm;

/* Make a field a metric without any annotation. */
typedef __u32 gadget_counter__u32;
typedef __u64 gadget_counter__u64;
typedef __u32 gadget_gauge__u32;
typedef __u64 gadget_gauge__u64;
/* As an array: slot 0 counts the value 0, slot i the values from 2^(i-1) to 2^i - 1. */
typedef __u32 gadget_histogram_slot__u32;
typedef __u64 gadget_histogram_slot__u64;

/* Stack ids: keys of the maps in kernel_stack_map.h and user_stack_map.h. */
typedef __u32 gadget_kernel_stack;

struct gadget_user_stack {
	/* Names the executable; 0 means that no stack was taken. */
	__u64 exe_inode;
	__u64 mtime_sec;
	__u32 mtime_nsec;
	__u32 stack_id;
	/* The process as the initial pid namespace sees it, and as the one below does. */
	__u32 pid_level0;
	__u32 pidns_level0;
	__u32 pid_level1;
	__u32 pidns_level1;
};

union gadget_ip_addr_t {
	__u8 v6[16];
	__u32 v4; /* network byte order */
};

struct gadget_l3endpoint_t {
	union gadget_ip_addr_t addr_raw;
	__u8 version; /* 4 or 6 */
};

struct gadget_l4endpoint_t {
	union gadget_ip_addr_t addr_raw;
	__u16 port; /* host byte order */
	__u16 proto_raw; /* IPPROTO_* */
	__u8 version; /* 4 or 6 */
};

struct gadget_creds {
	gadget_uid uid;
	gadget_gid gid;
};

struct gadget_parent {
	gadget_pcomm comm[TASK_COMM_LEN];
	gadget_ppid pid;
};

struct gadget_process {
	gadget_comm comm[TASK_COMM_LEN];
	gadget_pid pid;
	gadget_tid tid;
	gadget_mntns_id mntns_id;
	struct gadget_creds creds;
	struct gadget_parent parent;
};

#endif /* __GADGET_TYPES_H */
