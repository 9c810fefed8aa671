// SPDX-License-Identifier: Apache-2.0
// What a process in C costs that does the least: it loads tests/fixtures/gadgets/filler, sleeps in
// ring_buffer__poll() and adds to an array for each event.
//
//   consumer OBJECT_FILE
//
// Prints "ready" when it runs; ends with SIGTERM and prints how many events came.
//
// Build: cc -O2 -Wall consumer.c -o consumer -lbpf
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#define SERIES 1000

// The event of tests/fixtures/gadgets/filler.
struct event {
	char comm[16];
	uint32_t pid;
	uint32_t bytes;
	uint64_t latency;
	uint64_t timestamp;
};

static uint64_t counts[SERIES], events;
static volatile sig_atomic_t is_over;

static void end(int signal)
{
	(void)signal;
	is_over = 1;
}

static int on_event(void *context, void *data, size_t size)
{
	const struct event *event = data;

	(void)context;
	(void)size;
	counts[event->pid % SERIES] += event->bytes;
	events++;
	return 0;
}

static void fail(const char *what)
{
	fprintf(stderr, "consumer: %s: %s\n", what, strerror(errno));
	exit(1);
}

int main(int argc, char **argv)
{
	const struct sigaction on_end = { .sa_handler = end };
	struct bpf_object *object;
	struct ring_buffer *ring;

	if (argc != 2) {
		errno = EINVAL;
		fail("one object file");
	}
	object = bpf_object__open_file(argv[1], NULL);
	if (!object || bpf_object__load(object))
		fail("cannot load the object");
	ring = ring_buffer__new(bpf_object__find_map_fd_by_name(object, "ring"), on_event, NULL, NULL);
	if (!ring)
		fail("cannot open the ring");
	sigaction(SIGTERM, &on_end, NULL);
	// Whoever started it may fail; then nobody ends it.
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	puts("ready");
	fflush(stdout);
	while (!is_over) {
		int consumed = ring_buffer__poll(ring, -1);

		if (consumed < 0 && consumed != -EINTR)
			fail("cannot poll");
	}
	printf("%" PRIu64 "\n", events);
	ring_buffer__free(ring);
	bpf_object__close(object);
	return 0;
}
