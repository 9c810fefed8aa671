/* SPDX-License-Identifier: Apache-2.0 */

#ifndef __GADGET_MAPS_BPF_H
#define __GADGET_MAPS_BPF_H

#include <bpf/bpf_helpers.h>

/*
 * The value of `key`, inserted as a copy of `init` if there is none. NULL only if the map is full.
 * When two CPUs insert the same key at once, one of them finds the other's entry: nothing is reset.
 */
static __always_inline void *bpf_map_lookup_or_try_init(void *map, const void *key, const void *init)
{
	void *value = bpf_map_lookup_elem(map, key);

	if (value)
		return value;
	bpf_map_update_elem(map, key, init, BPF_NOEXIST);
	return bpf_map_lookup_elem(map, key);
}

#endif /* __GADGET_MAPS_BPF_H */
