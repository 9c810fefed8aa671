// SPDX-License-Identifier: Apache-2.0
// Makes events in a process of its own, so that the measured process is exactly kmeter:
//
//   producer fill --program ID --seconds S [--rate R] [--keys K] [--cpu C]
//     runs the loaded program `fill` of tests/fixtures/gadgets/filler; number n has key n % K (K = 0:
//     every event has a key of its own)
//   producer openat --seconds S [--rate R] [--threads T] [--cpu C]
//     real system calls: opens a file that is not there
//
// R events a second in all (0: as many as possible). Prints one line of JSON when it ends: what was
// produced, what found no room in the ring, and the seconds that took.
//
// Build: cc -O2 -Wall -pthread producer.c -o producer -lbpf
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull
// Few enough that the kernel can give the CPU to others between two calls.
#define EVENTS_PER_CALL 10000
#define SYSCALLS_PER_CHECK 64
#define TICK_NS 1000000ull
#define MAX_THREADS 64
#define MAX_MAPS 16

struct options {
	uint32_t program;
	uint64_t rate, keys;
	double seconds;
	int cpu, threads;
};

struct stats {
	uint64_t produced, failed;
};

static struct options options = { .seconds = 1, .keys = 1000, .cpu = -1, .threads = 1 };

static void fail(const char *what, int error)
{
	fprintf(stderr, "producer: %s: %s\n", what, strerror(error));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static void sleep_until(uint64_t at_ns)
{
	struct timespec time = { .tv_sec = at_ns / NS_PER_S, .tv_nsec = at_ns % NS_PER_S };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
		;
}

// Calls `make(state, n)` with at most `most` events each time until the time is over. At a rate it
// makes up for what a late wake-up missed.
static uint64_t pace(uint64_t rate, uint64_t most, void (*make)(void *, uint64_t), void *state)
{
	uint64_t start = now_ns(), end = start + options.seconds * NS_PER_S, now = start, made = 0;

	for (; now < end; now = now_ns()) {
		uint64_t due = most;

		if (rate) {
			due = (uint64_t)((double)(now - start) * rate / NS_PER_S) + 1;
			if (due <= made) {
				uint64_t next = start + (double)made * NS_PER_S / rate;

				sleep_until(next > now + TICK_NS ? next : now + TICK_NS);
				continue;
			}
			due -= made;
		}
		if (due > most)
			due = most;
		make(state, due);
		made += due;
	}
	return made;
}

struct filler {
	int program;
	uint64_t next_key;
};

static void fill(void *state, uint64_t events)
{
	struct filler *filler = state;
	// With keys of their own, key numbers start again after four billion events.
	uint64_t keys = options.keys ? options.keys : UINT32_MAX;
	uint64_t args[3] = { events, keys, filler->next_key << 32 };
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = args, .ctx_size_in = sizeof(args));
	int error = bpf_prog_test_run_opts(filler->program, &run);

	if (error)
		fail("cannot run the program", -error);
	filler->next_key = (filler->next_key + events) % keys;
}

// Descriptor of the map "filler_stats" of the program.
static int open_stats(int program)
{
	uint32_t ids[MAX_MAPS], size;
	struct bpf_prog_info info = { .nr_map_ids = MAX_MAPS, .map_ids = (uintptr_t)ids };

	size = sizeof(info);
	if (bpf_obj_get_info_by_fd(program, &info, &size))
		fail("cannot ask for the maps of the program", errno);
	for (uint32_t i = 0; i < info.nr_map_ids && i < MAX_MAPS; i++) {
		int map = bpf_map_get_fd_by_id(ids[i]);
		struct bpf_map_info map_info = {};

		size = sizeof(map_info);
		if (map >= 0 && !bpf_obj_get_info_by_fd(map, &map_info, &size) &&
		    !strcmp(map_info.name, "filler_stats"))
			return map;
		if (map >= 0)
			close(map);
	}
	fail("no map filler_stats", ENOENT);
	return -1;
}

static struct stats read_stats(int map)
{
	struct stats stats;
	uint32_t zero = 0;
	int error = bpf_map_lookup_elem(map, &zero, &stats);

	if (error)
		fail("cannot read filler_stats", -error);
	return stats;
}

static struct stats run_fill(void)
{
	struct filler filler = { .program = bpf_prog_get_fd_by_id(options.program) };
	struct stats before, after;
	int map;

	if (filler.program < 0)
		fail("cannot open the program", -filler.program);
	map = open_stats(filler.program);
	before = read_stats(map);
	pace(options.rate, EVENTS_PER_CALL, fill, &filler);
	after = read_stats(map);
	return (struct stats){ after.produced - before.produced, after.failed - before.failed };
}

static void call_openat(void *state, uint64_t calls)
{
	(void)state;
	while (calls--)
		syscall(SYS_openat, AT_FDCWD, "/no-such-file-of-the-bench", O_RDONLY);
}

struct worker {
	pthread_t thread;
	uint64_t made;
};

static void *work(void *argument)
{
	struct worker *worker = argument;
	uint64_t rate = options.rate / options.threads;

	worker->made = pace(rate, SYSCALLS_PER_CHECK, call_openat, NULL);
	return NULL;
}

static struct stats run_calls(void)
{
	struct worker workers[MAX_THREADS];
	struct stats stats = {};
	int error;

	for (int i = 0; i < options.threads; i++) {
		error = pthread_create(&workers[i].thread, NULL, work, &workers[i]);
		if (error)
			fail("cannot start a thread", error);
	}
	for (int i = 0; i < options.threads; i++) {
		pthread_join(workers[i].thread, NULL);
		stats.produced += workers[i].made;
	}
	return stats;
}

static void parse_options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "program", required_argument, NULL, 'p' }, { "rate", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' }, { "keys", required_argument, NULL, 'k' },
		{ "cpu", required_argument, NULL, 'c' },     { "threads", required_argument, NULL, 't' },
		{},
	};

	for (int name; (name = getopt_long(argc, argv, "", names, NULL)) != -1;) {
		switch (name) {
		case 'p': options.program = strtoul(optarg, NULL, 10); break;
		case 'r': options.rate = strtoull(optarg, NULL, 10); break;
		case 's': options.seconds = strtod(optarg, NULL); break;
		case 'k': options.keys = strtoull(optarg, NULL, 10); break;
		case 'c': options.cpu = atoi(optarg); break;
		case 't': options.threads = atoi(optarg); break;
		default: exit(2);
		}
	}
	if (options.threads < 1 || options.threads > MAX_THREADS)
		fail("--threads", ERANGE);
}

static void pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		fail("cannot pin to a CPU", errno);
}

int main(int argc, char **argv)
{
	uint64_t start;
	struct stats stats;
	const char *mode;

	// Whoever started it may fail; then nobody wants the events.
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	parse_options(argc, argv);
	if (optind + 1 != argc)
		fail("fill or openat", EINVAL);
	mode = argv[optind];
	if (options.cpu >= 0)
		pin(options.cpu);
	start = now_ns();
	if (!strcmp(mode, "fill"))
		stats = run_fill();
	else if (!strcmp(mode, "openat"))
		stats = run_calls();
	else
		fail(mode, EINVAL);
	printf("{\"produced\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"seconds\":%.3f}\n", stats.produced,
	       stats.failed, (double)(now_ns() - start) / NS_PER_S);
	return 0;
}
