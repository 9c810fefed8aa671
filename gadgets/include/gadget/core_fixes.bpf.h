/* SPDX-License-Identifier: Apache-2.0 */

/* Members and types that kernels spell differently. CO-RE picks the one that exists at load time. */

#ifndef __GADGET_CORE_FIXES_BPF_H
#define __GADGET_CORE_FIXES_BPF_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/*
 * For branches that no known kernel should reach: the number is the one that libbpf puts in place of
 * a relocation it could not do, so the verifier refuses the program if the branch is alive.
 */
static void (*bpf_core_unreachable)(void) = (void *)0xbad2310;

/* task_struct.state became __state in 5.14. */
struct task_struct___before_5_14 {
	volatile long state;
} __attribute__((preserve_access_index));

struct task_struct___since_5_14 {
	unsigned int __state;
} __attribute__((preserve_access_index));

static __always_inline __s64 get_task_state(void *task)
{
	struct task_struct___since_5_14 *current_form = task;
	struct task_struct___before_5_14 *former = task;

	if (bpf_core_field_exists(current_form->__state))
		return BPF_CORE_READ(current_form, __state);
	return BPF_CORE_READ(former, state);
}

/* bio.bi_disk became bio.bi_bdev->bd_disk in 5.12. */
struct bio___before_5_12 {
	struct gendisk *bi_disk;
} __attribute__((preserve_access_index));

struct bio___since_5_12 {
	struct block_device *bi_bdev;
} __attribute__((preserve_access_index));

static __always_inline struct gendisk *get_gendisk(void *bio)
{
	struct bio___since_5_12 *current_form = bio;
	struct bio___before_5_12 *former = bio;

	if (bpf_core_field_exists(current_form->bi_bdev))
		return BPF_CORE_READ(current_form, bi_bdev, bd_disk);
	return BPF_CORE_READ(former, bi_disk);
}

/* request.rq_disk became request.q->disk in 5.17. */
struct request_queue___since_5_15 {
	struct gendisk *disk;
} __attribute__((preserve_access_index));

struct request___any {
	struct request_queue___since_5_15 *q;
	struct gendisk *rq_disk;
} __attribute__((preserve_access_index));

static __always_inline struct gendisk *get_disk(void *request)
{
	struct request___any *rq = request;

	if (bpf_core_field_exists(rq->rq_disk))
		return BPF_CORE_READ(rq, rq_disk);
	return BPF_CORE_READ(rq, q, disk);
}

/* block_rq_complete shares its record with block_rq_error since 5.18, under another name. */
struct trace_event_raw_block_rq_complete___before_5_18 {
	dev_t dev;
	sector_t sector;
	unsigned int nr_sector;
} __attribute__((preserve_access_index));

struct trace_event_raw_block_rq_completion___since_5_18 {
	dev_t dev;
	sector_t sector;
	unsigned int nr_sector;
} __attribute__((preserve_access_index));

static __always_inline bool has_block_rq_completion(void)
{
	return bpf_core_type_exists(struct trace_event_raw_block_rq_completion___since_5_18);
}

/* vfs_create() and vfs_unlink() take a user namespace first since 5.12; so does renamedata. */
struct renamedata___since_5_12 {
	struct user_namespace *old_mnt_userns;
} __attribute__((preserve_access_index));

static __always_inline bool renamedata_has_old_mnt_userns_field(void)
{
	struct renamedata___since_5_12 *data = NULL;

	return bpf_core_field_exists(data->old_mnt_userns);
}

/* kfree and kmem_cache_free have records of their own since 5.12. */
struct trace_event_raw_kfree___since_5_12 {
	const void *ptr;
} __attribute__((preserve_access_index));

struct trace_event_raw_kmem_cache_free___since_5_12 {
	const void *ptr;
} __attribute__((preserve_access_index));

static __always_inline bool has_kfree(void)
{
	return bpf_core_type_exists(struct trace_event_raw_kfree___since_5_12);
}

static __always_inline bool has_kmem_cache_free(void)
{
	return bpf_core_type_exists(struct trace_event_raw_kmem_cache_free___since_5_12);
}

#endif /* __GADGET_CORE_FIXES_BPF_H */
