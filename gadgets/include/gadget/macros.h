/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Markers: each macro leaves an uninitialised `const void *` variable in .bss whose name says what
 * the loader shall do. Parts of a name are separated by three underscores, so no part may contain
 * three underscores itself. Nothing is ever read from or written to the variables.
 */

#ifndef __GADGET_MACROS_H
#define __GADGET_MACROS_H

#define __GADGET_MARKER(symbol) const void *symbol __attribute__((unused))
/* Keeps the BTF of a struct that no code mentions by value. */
#define __GADGET_KEEP_TYPE(symbol, type) const struct type *symbol __attribute__((unused))

#define __GADGET_PASTE(a, b) a##b
#define __GADGET_SELECT(prefix, count) __GADGET_PASTE(prefix, count)
#define __GADGET_FOURTH(a, b, c, d, ...) d
#define __GADGET_COUNT(...) __GADGET_FOURTH(__VA_ARGS__, 3, 2, 1, 0)

#define __GADGET_ITER_1(name, type, p1) __GADGET_MARKER(gadget_iter_##name##___##type##___##p1)
#define __GADGET_ITER_2(name, type, p1, p2) \
	__GADGET_MARKER(gadget_iter_##name##___##type##___##p1##___##p2)
#define __GADGET_ITER_3(name, type, p1, p2, p3) \
	__GADGET_MARKER(gadget_iter_##name##___##type##___##p1##___##p2##___##p3)

/*
 * Data source `name`: one row per record that programs write to `map` (ring or perf buffer), laid
 * out as `struct event`.
 */
#define GADGET_TRACER(name, map, event)                          \
	__GADGET_MARKER(gadget_tracer_##name##___##map##___##event); \
	__GADGET_KEEP_TYPE(__gadget_tracer_type_##name, event);

/*
 * Data source `name`: the union of what one to three `SEC("iter/...")` programs write with
 * bpf_seq_write(), an array of `struct type`.
 */
#define GADGET_ITER(name, type, ...)                              \
	__GADGET_KEEP_TYPE(unusedevent_##name##___##type, type);      \
	__GADGET_SELECT(__GADGET_ITER_, __GADGET_COUNT(__VA_ARGS__))  \
	(name, type, __VA_ARGS__);

/* The former name of GADGET_ITER. */
#define GADGET_SNAPSHOTTER(name, type, ...) GADGET_ITER(name, type, __VA_ARGS__)

/* Data source `name`: one row per entry of `map`, key members first. */
#define GADGET_MAPITER(name, map) __GADGET_MARKER(gadget_mapiter_##name##___##map);

/* Lets the `SEC("iter/bpf_map_elem")` program `prog` walk `map`. */
#define GADGET_ITER_TARGET_MAP(prog, map) \
	__GADGET_MARKER(gadget_mapelem_iter_target_##prog##___##map);

/* Attaches the sk_skb or sk_msg program `prog` to the sock map `map`. */
#define GADGET_SK_TARGET_MAP(prog, map) __GADGET_MARKER(gadget_sk_prog_target_##prog##___##map);

/* Makes the global `const volatile` variable `name` a parameter that users can set. */
#define GADGET_PARAM(name) __GADGET_MARKER(gadget_param_##name);

#endif /* __GADGET_MACROS_H */
