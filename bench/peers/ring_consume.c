// SPDX-License-Identifier: Apache-2.0
// What draining a BPF ring buffer costs in C: libbpf's ring_buffer__consume with a callback that does
// one bare array increment. The peer of kmeter's ingest, which reads the same events in TypeScript.
//
// Build: cc -O2 -Wall ring_consume.c -o ring_consume -lbpf
// Usage: ring_consume PROGRAM.bpf.o [EVENTS [ROUNDS]], with the object of the test gadget "filler";
//        prints one line of JSON. Nothing stays loaded when it exits.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// What the filler offers; these must match its source.
#define RING_MAP "events"
#define FILL_PROGRAM "fill"
struct event {
	char comm[16];
	uint32_t pid;
	uint32_t flags;
	uint64_t bytes;
	uint64_t timestamp;
};
struct fill_args {
	uint64_t count;
};

#define SERIES 1000
#define DEFAULT_EVENTS 300000
#define DEFAULT_ROUNDS 20

static uint64_t counts[SERIES];
static uint64_t received;

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

static int on_event(void *context, void *data, size_t size)
{
	const struct event *event = data;

	(void)context;
	(void)size;
	counts[event->pid % SERIES] += event->bytes;
	received++;
	return 0;
}

// A smaller record would be read beyond its end.
static int check_size(void *context, void *data, size_t size)
{
	(void)data;
	*(size_t *)context = size;
	return 0;
}

static void fill(int program_fd, uint64_t events)
{
	struct fill_args args = { .count = events };
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &args, .ctx_size_in = sizeof(args));

	if (bpf_prog_test_run_opts(program_fd, &options))
		die("cannot run the filler");
}

static struct ring_buffer *open_ring(int map_fd, ring_buffer_sample_fn callback, void *context)
{
	struct ring_buffer *ring = ring_buffer__new(map_fd, callback, context, NULL);

	if (!ring)
		die("cannot map the ring buffer");
	return ring;
}

static int by_size(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

// Fills and drains the ring; returns the time of draining alone.
static uint64_t run_round(struct ring_buffer *ring, int program_fd, uint64_t events)
{
	uint64_t started, ns;

	fill(program_fd, events);
	received = 0;
	started = now_ns();
	if (ring_buffer__consume(ring) < 0)
		die("cannot read the ring buffer");
	ns = now_ns() - started;
	if (received != events) {
		fprintf(stderr, "error: %llu of %llu events arrived: does the ring hold so many?\n",
			(unsigned long long)received, (unsigned long long)events);
		exit(1);
	}
	return ns;
}

static void check_event_size(int map_fd, int program_fd)
{
	size_t size = 0;
	struct ring_buffer *ring = open_ring(map_fd, check_size, &size);

	fill(program_fd, 1);
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
	if (size != sizeof(struct event)) {
		fprintf(stderr, "error: an event has %zu bytes, expected %zu\n", size,
			sizeof(struct event));
		exit(1);
	}
}

static void print_result(uint64_t *ns, uint32_t rounds, uint64_t events)
{
	uint64_t sum = 0;

	// Printed, so that no compiler leaves the increments out.
	for (int i = 0; i < SERIES; i++)
		sum += counts[i];
	qsort(ns, rounds, sizeof(*ns), by_size);
	printf("{\"bench\":\"ring_consume\",\"events\":%llu,\"event_bytes\":%zu,\"rounds\":%u,",
	       (unsigned long long)events, sizeof(struct event), rounds);
	printf("\"ns_per_event\":{\"min\":%.2f,\"median\":%.2f},\"sum\":%llu}\n",
	       (double)ns[0] / events, (double)ns[rounds / 2] / events, (unsigned long long)sum);
}

int main(int argc, char **argv)
{
	uint64_t events = argc > 2 ? strtoull(argv[2], NULL, 10) : DEFAULT_EVENTS, *ns;
	uint32_t rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : DEFAULT_ROUNDS;
	struct bpf_program *program;
	struct bpf_object *object;
	struct ring_buffer *ring;
	int map_fd, program_fd;

	if (argc < 2 || events == 0 || rounds == 0) {
		fprintf(stderr, "usage: ring_consume PROGRAM.bpf.o [EVENTS [ROUNDS]]\n");
		return 2;
	}
	object = bpf_object__open_file(argv[1], NULL);
	if (!object || bpf_object__load(object))
		die("cannot load the filler");
	program = bpf_object__find_program_by_name(object, FILL_PROGRAM);
	map_fd = bpf_object__find_map_fd_by_name(object, RING_MAP);
	if (!program || map_fd < 0)
		die("the filler has no map " RING_MAP " or no program " FILL_PROGRAM);
	program_fd = bpf_program__fd(program);
	ns = calloc(rounds, sizeof(*ns));
	if (!ns)
		die("cannot allocate the results");
	check_event_size(map_fd, program_fd);
	ring = open_ring(map_fd, on_event, NULL);
	run_round(ring, program_fd, events); // warms the caches and the pages of the ring
	for (uint32_t round = 0; round < rounds; round++)
		ns[round] = run_round(ring, program_fd, events);
	print_result(ns, rounds, events);
	ring_buffer__free(ring);
	bpf_object__close(object);
	return 0;
}
