// SPDX-License-Identifier: Apache-2.0
// What the same work costs in C with libbpf, as functions that the benches call side by side with
// kmeter's own: draining a ring buffer with one bare array increment per event, and reading a hash
// map in batches with each key hashed into a table of counts.
//
// Build: cc -O2 -Wall -shared -fPIC peers.c -o peers.so -lbpf
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// The event of tests/fixtures/gadgets/filler.
struct event {
	char comm[16];
	uint32_t pid;
	uint32_t bytes;
	uint64_t latency;
	uint64_t timestamp;
};

#define SERIES 1000

static uint64_t counts[SERIES];
static struct ring_buffer *ring;

static int on_event(void *context, void *data, size_t size)
{
	const struct event *event = data;

	(void)context;
	(void)size;
	counts[event->pid % SERIES] += event->bytes;
	return 0;
}

int peer_ring_open(int map_fd)
{
	ring = ring_buffer__new(map_fd, on_event, NULL, NULL);
	return ring ? 0 : -errno;
}

// Events consumed, or a negative errno.
int peer_ring_consume(void)
{
	return ring_buffer__consume(ring);
}

// Key and value of map "hash" in tests/fixtures/gadgets/maps.
struct key {
	uint32_t id;
	char name[12];
};
struct value {
	uint64_t count, total;
	uint32_t last, pad;
};

#define BATCH 4096
#define TABLE_SIZE (1 << 18)

struct row {
	struct key key;
	uint64_t count, total;
	uint32_t last, used;
};

static struct key keys[BATCH];
static struct value values[BATCH];
static struct row *table;

static uint32_t hash_key(const struct key *key)
{
	uint32_t words[sizeof(*key) / 4], hash = 2166136261u;

	memcpy(words, key, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / 4; i++)
		hash = (hash ^ words[i]) * 16777619u;
	return hash ^ (hash >> 15);
}

static void put(const struct key *key, const struct value *value)
{
	uint32_t at = hash_key(key) & (TABLE_SIZE - 1);

	while (table[at].used && memcmp(&table[at].key, key, sizeof(*key)))
		at = (at + 1) & (TABLE_SIZE - 1);
	table[at].used = 1;
	table[at].key = *key;
	table[at].count = value->count;
	table[at].total = value->total;
	table[at].last = value->last;
}

// Entries read, or a negative errno. `hash_rows` off leaves the bare batch calls.
int peer_map_read(int fd, int hash_rows)
{
	uint32_t cursor[4], total = 0, count;
	void *in = NULL;
	int result;

	if (!table)
		table = calloc(TABLE_SIZE, sizeof(*table));
	do {
		count = BATCH;
		result = bpf_map_lookup_batch(fd, in, cursor, keys, values, &count, NULL);
		if (result && result != -ENOENT)
			return result;
		for (uint32_t i = 0; hash_rows && i < count; i++)
			put(&keys[i], &values[i]);
		total += count;
		in = cursor;
	} while (!result);
	return total;
}

static void *any_keys, *any_values;
static size_t any_keys_size, any_values_size;

static void *room_for(void *buffer, size_t *size, size_t wanted)
{
	if (*size >= wanted)
		return buffer;
	*size = wanted;
	return realloc(buffer, wanted);
}

// Bare batch calls on a map of any layout; `value_size` is that of all CPUs with their padding.
// Entries read, or a negative errno.
int peer_map_read_any(int fd, uint32_t key_size, uint32_t value_size)
{
	uint32_t cursor[64], total = 0, count;
	void *in = NULL;
	int result;

	any_keys = room_for(any_keys, &any_keys_size, (size_t)key_size * BATCH);
	any_values = room_for(any_values, &any_values_size, (size_t)value_size * BATCH);
	if (!any_keys || !any_values || key_size > sizeof(cursor))
		return -ENOMEM;
	do {
		count = BATCH;
		result = bpf_map_lookup_batch(fd, in, cursor, any_keys, any_values, &count, NULL);
		if (result && result != -ENOENT)
			return result;
		total += count;
		in = cursor;
	} while (!result);
	return total;
}
