// SPDX-License-Identifier: Apache-2.0
// What reading a BPF hash map costs in C: batch lookups, and each key hashed into a table of counts.
// The peer of kmeter's map reading, which does the same work in TypeScript.
//
// Build: cc -O2 -Wall map_batch.c -o map_batch -lbpf
// Usage: map_batch [ENTRIES [ROUNDS]]; prints one line of JSON. The map is gone when it exits.
#include <bpf/bpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Key and value of the map; the peer must use the same.
#define COMM_BYTES 16
struct key {
	char comm[COMM_BYTES];
	uint32_t pid;
};
struct value {
	uint64_t count;
};
#define COMMS 1000
#define BATCH 4096
#define DEFAULT_ENTRIES 100000
#define DEFAULT_ROUNDS 20

// One series: open addressing, empty where `is_used` is 0.
struct series {
	struct key key;
	uint32_t is_used;
	uint64_t count;
};

struct table {
	struct series *slots;
	uint32_t mask;
	uint32_t used;
};

static struct key keys[BATCH];
static struct value values[BATCH];

static void die(const char *what)
{
	fprintf(stderr, "error: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// FNV-1a over the words of the key, as it has no padding.
static uint32_t hash_key(const struct key *key)
{
	uint32_t words[sizeof(*key) / 4], hash = 2166136261u;

	memcpy(words, key, sizeof(*key));
	for (size_t i = 0; i < sizeof(words) / 4; i++)
		hash = (hash ^ words[i]) * 16777619u;
	// The low bits choose the slot, and multiplication never carries down to them.
	return hash ^ (hash >> 15);
}

static struct table make_table(uint32_t entries)
{
	struct table table = { 0 };
	uint32_t size = 1;

	while (size < entries * 2)
		size *= 2;
	table.slots = calloc(size, sizeof(*table.slots));
	if (!table.slots)
		die("cannot allocate the table");
	table.mask = size - 1;
	return table;
}

static void put(struct table *table, const struct key *key, uint64_t count)
{
	uint32_t at = hash_key(key) & table->mask;

	while (table->slots[at].is_used && memcmp(&table->slots[at].key, key, sizeof(*key)))
		at = (at + 1) & table->mask;
	if (!table->slots[at].is_used) {
		table->slots[at].key = *key;
		table->slots[at].is_used = 1;
		table->used++;
	}
	table->slots[at].count = count;
}

static int make_map(uint32_t entries)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "peer_batch", sizeof(struct key),
				sizeof(struct value), entries, NULL);

	if (fd < 0)
		die("cannot create the map");
	for (uint32_t i = 0; i < entries; i++) {
		struct key key = { .pid = i };
		struct value value = { .count = i + 1 };

		snprintf(key.comm, sizeof(key.comm), "worker-%u", i % COMMS);
		if (bpf_map_update_elem(fd, &key, &value, BPF_NOEXIST))
			die("cannot fill the map");
	}
	return fd;
}

// Reads the map once; returns the part of the time that was spent in the system calls.
static uint64_t read_map(int fd, struct table *table)
{
	uint64_t kernel_ns = 0, started;
	uint32_t cursor, count;
	void *from = NULL;
	int failed;

	do {
		count = BATCH;
		started = now_ns();
		failed = bpf_map_lookup_batch(fd, from, &cursor, keys, values, &count, NULL);
		kernel_ns += now_ns() - started;
		// ENOENT marks the end and comes together with the last entries.
		if (failed && errno != ENOENT)
			die("cannot read the map");
		for (uint32_t i = 0; i < count; i++)
			put(table, &keys[i], values[i].count);
		from = &cursor;
	} while (!failed);
	return kernel_ns;
}

static uint64_t sum_of(const struct table *table)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i <= table->mask; i++)
		sum += table->slots[i].count;
	return sum;
}

static int by_size(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static void print_stats(const char *name, uint64_t *ns, uint32_t rounds, uint32_t entries)
{
	qsort(ns, rounds, sizeof(*ns), by_size);
	printf("\"%s\":{\"min\":%.2f,\"median\":%.2f}", name, (double)ns[0] / entries,
	       (double)ns[rounds / 2] / entries);
}

int main(int argc, char **argv)
{
	uint32_t entries = argc > 1 ? strtoul(argv[1], NULL, 10) : DEFAULT_ENTRIES;
	uint32_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : DEFAULT_ROUNDS;
	uint64_t expected = (uint64_t)entries * (entries + 1) / 2, started;
	uint64_t *total_ns, *kernel_ns;
	struct table table;
	int fd;

	if (entries == 0 || rounds == 0) {
		fprintf(stderr, "usage: map_batch [ENTRIES [ROUNDS]]\n");
		return 2;
	}
	total_ns = calloc(rounds, sizeof(*total_ns));
	kernel_ns = calloc(rounds, sizeof(*kernel_ns));
	if (!total_ns || !kernel_ns)
		die("cannot allocate the results");
	table = make_table(entries);
	fd = make_map(entries);
	// The first read makes the series; what is timed is finding them again.
	read_map(fd, &table);
	for (uint32_t round = 0; round < rounds; round++) {
		started = now_ns();
		kernel_ns[round] = read_map(fd, &table);
		total_ns[round] = now_ns() - started;
	}
	if (table.used != entries || sum_of(&table) != expected) {
		fprintf(stderr, "error: read %u of %u entries\n", table.used, entries);
		return 1;
	}
	printf("{\"bench\":\"map_batch\",\"entries\":%u,\"batch\":%d,\"rounds\":%u,", entries, BATCH,
	       rounds);
	print_stats("ns_per_entry", total_ns, rounds, entries);
	printf(",");
	print_stats("kernel_ns_per_entry", kernel_ns, rounds, entries);
	printf("}\n");
	return 0;
}
