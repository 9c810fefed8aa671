/* SPDX-License-Identifier: Apache-2.0 */

/* Absolute paths of files, as the mounts of the machine have them, built from the end to the front. */

#ifndef __GADGET_FILESYSTEM_H
#define __GADGET_FILESYSTEM_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define GADGET_PATH_MAX 512
#define GADGET_PATH_MAX_COMPONENTS 80
#define GADGET_PATH_ROOM 4096 /* a power of two */

struct __gadget_path_room {
	/* The second half is never part of a path: it lets the verifier see that names fit. */
	char text[2 * GADGET_PATH_ROOM];
	/*
	 * Where the path begins so far. In the map and not in a variable, since the verifier would
	 * follow every value that a variable can have through every turn of the loop.
	 */
	__u32 begin;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct __gadget_path_room);
} gadget_path_room SEC(".maps");

static __always_inline struct mount *__gadget_mount_of(struct vfsmount *vfsmount)
{
	return (struct mount *)((void *)vfsmount - bpf_core_field_offset(struct mount, mnt));
}

/* Puts `/name` before the path; false if it would become longer than `size`. */
static __always_inline bool __gadget_prepend(struct __gadget_path_room *room, struct dentry *dentry,
					     __u32 size)
{
	__u32 length = BPF_CORE_READ(dentry, d_name.len) & 0xff;
	__u32 begin = room->begin;

	if (GADGET_PATH_ROOM - begin + length + 2 > size)
		return false;
	begin -= length + 1;
	room->begin = begin;
	room->text[begin & (GADGET_PATH_ROOM - 1)] = '/';
	bpf_probe_read_kernel(&room->text[(begin + 1) & (GADGET_PATH_ROOM - 1)], length,
			      BPF_CORE_READ(dentry, d_name.name));
	return true;
}

/*
 * Path of at most `size` bytes, the NUL included; of longer ones the end. The text lives until the
 * next call on the same CPU. NULL only if the map could not be read.
 */
static __always_inline void *get_path_str_with_size(const struct path *path, __u32 size)
{
	__u32 zero = 0;
	struct __gadget_path_room *room = bpf_map_lookup_elem(&gadget_path_room, &zero);
	struct dentry *dentry = BPF_CORE_READ(path, dentry);
	struct mount *mount = __gadget_mount_of(BPF_CORE_READ(path, mnt));

	if (!room)
		return NULL;
	if (size > GADGET_PATH_ROOM)
		size = GADGET_PATH_ROOM;
	room->begin = GADGET_PATH_ROOM;
	room->text[GADGET_PATH_ROOM] = '\0';

	for (int i = 0; i < GADGET_PATH_MAX_COMPONENTS; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);

		if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
			struct mount *mount_parent = BPF_CORE_READ(mount, mnt_parent);

			if (mount == mount_parent)
				break;
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = mount_parent;
			continue;
		}
		if (dentry == parent || !__gadget_prepend(room, dentry, size))
			break;
		dentry = parent;
	}

	if (room->begin == GADGET_PATH_ROOM) {
		room->begin -= 1;
		room->text[GADGET_PATH_ROOM - 1] = '/';
	}
	return &room->text[room->begin & (GADGET_PATH_ROOM - 1)];
}

static __always_inline void *get_path_str(const struct path *path)
{
	return get_path_str_with_size(path, GADGET_PATH_MAX);
}

/* The file behind a descriptor of the current process; NULL if there is none. */
static __always_inline struct file *get_struct_file_for_fd(int fd_num)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd);
	struct file *file = NULL;

	if (fd_num >= 0 && (__u32)fd_num < BPF_CORE_READ(table, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), &files[fd_num]);
	return file;
}

/* Length of the path with its NUL, or a negative number. */
static __always_inline long read_full_path_of_open_file_fd(int fd_num, char *buf, __u64 buf_len)
{
	struct file *file = get_struct_file_for_fd(fd_num);
	const char *text;

	if (!file)
		return -1;
	text = get_path_str_with_size(&file->f_path, buf_len);
	return text ? bpf_probe_read_kernel_str(buf, buf_len, text) : -1;
}

#endif /* __GADGET_FILESYSTEM_H */
