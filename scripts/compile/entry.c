/*
 * Where the packed program starts: before the Deno runtime, in the same process.
 *
 * The dynamic loader has mapped and relocated the runtime and jumps here instead of to the runtime's own
 * entry. This code copies the packed files into sealed memory files, gives them fixed descriptors, builds
 * the command line `kmeter run OPTIONS /proc/self/fd/N USER_ARGUMENTS...`, with more options if the user's
 * first argument asks for them, and goes on to the runtime. It runs before libc is initialised, so it makes
 * its system calls itself and has no writable data.
 */
#include <elf.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <asm/mman.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* No page of this processor is larger, whatever the kernel was built for. */
#define LARGEST_PAGE 65536

/* What fuse_elf.ts writes behind this code. Offsets count from the structure itself. */
struct payload {
	int64_t entry;        /* the runtime's own entry */
	int64_t environ_slot; /* the runtime's pointer to libc's `environ` */
	/* Lists of NUL-terminated strings, each ended by an empty one. */
	uint64_t arguments;    /* argv[0], and what goes before the module */
	uint64_t extra;        /* pairs: the user's first argument, and what is added for it */
	uint64_t module;       /* what goes right before the user's arguments: one string */
	uint64_t environment;  /* variables that are added */
	uint64_t dropped;      /* beginnings of variables that are not passed on */
	uint64_t first_fd;
	uint64_t file_count;
	struct {
		uint64_t offset;
		uint64_t size;
	} files[];
};

/* Placed by entry.lds behind the code. */
extern const struct payload payload __attribute__((visibility("hidden")));

#if defined(__x86_64__)

static long call(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

/* At entry: %rsp points to argc, %rdx is what the runtime's entry registers with atexit. */
__asm__(".pushsection .text.entry,\"ax\"\n"
	".globl _start\n"
	"_start:\n"
	"	mov %rsp, %rbx\n"
	"	mov %rdx, %r12\n"
	"	mov %rbx, %rdi\n"
	"	call stack_size\n"
	"	sub %rax, %rsp\n"
	"	mov %rsp, %rdi\n"
	"	mov %rbx, %rsi\n"
	"	call start\n"
	"	mov %r12, %rdx\n"
	"	xor %ebp, %ebp\n"
	"	jmp *%rax\n"
	".popsection\n");

#elif defined(__aarch64__)

static long call(long number, long a, long b, long c)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
}

/* At entry: sp points to argc, x0 is what the runtime's entry registers with atexit. */
__asm__(".pushsection .text.entry,\"ax\"\n"
	".globl _start\n"
	"_start:\n"
	"	mov x19, sp\n"
	"	mov x20, x0\n"
	"	mov x0, x19\n"
	"	bl stack_size\n"
	"	sub x1, x19, x0\n"
	"	mov sp, x1\n"
	"	mov x0, sp\n"
	"	mov x1, x19\n"
	"	bl start\n"
	"	mov x9, x0\n"
	"	mov x0, x20\n"
	"	mov x29, xzr\n"
	"	mov x30, xzr\n"
	"	br x9\n"
	".popsection\n");

#else
#error "no entry for this processor"
#endif

static const char *at(uint64_t offset)
{
	return (const char *)&payload + offset;
}

static size_t length_of(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

static size_t count_of(const char *list)
{
	size_t count = 0;

	for (; *list; list += length_of(list) + 1)
		count++;
	return count;
}

static int begins_with(const char *text, const char *start)
{
	while (*start)
		if (*text++ != *start++)
			return 0;
	return 1;
}

static int is_same(const char *text, const char *other)
{
	return length_of(text) == length_of(other) && begins_with(text, other);
}

static int is_dropped(const char *variable)
{
	for (const char *start = at(payload.dropped); *start; start += length_of(start) + 1)
		if (begins_with(variable, start))
			return 1;
	return 0;
}

static void fail(const char *message)
{
	call(SYS_write, 2, (long)message, length_of(message));
	call(SYS_exit_group, 1, 0, 0);
}

static void add_file(uint64_t index)
{
	const char *bytes = at(payload.files[index].offset);
	uint64_t left = payload.files[index].size;
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	long fd = call(SYS_memfd_create, (long)"kmeter", flags | MFD_NOEXEC_SEAL, 0);

	if (fd < 0) /* kernels before 6.3 do not know that flag */
		fd = call(SYS_memfd_create, (long)"kmeter", flags, 0);
	if (fd < 0)
		fail("error: kmeter cannot make a memory file\n"
		     "hint: is memfd_create() forbidden here, or no descriptor left (ulimit -n)?\n");
	while (left > 0) {
		long written = call(SYS_write, fd, (long)bytes, left);

		if (written <= 0)
			fail("error: kmeter cannot fill a memory file\nhint: is there memory left?\n");
		bytes += written;
		left -= written;
	}
	if (call(SYS_fcntl, fd, F_ADD_SEALS, ALL_SEALS) < 0)
		fail("error: kmeter cannot seal a memory file\n"
		     "hint: is this Linux, or does something stand in for its system calls?\n");
	/* Whatever the parent process had left open under that number is closed. */
	if (call(SYS_dup3, fd, payload.first_fd + index, O_CLOEXEC) < 0)
		fail("error: kmeter cannot keep its files open\n"
		     "hint: allow 256 open files at least: ulimit -n 1024\n");
	call(SYS_close, fd, 0, 0);
}

/* The files' pages are needed no more: they would count as resident. They can still be read. */
static void forget_files(void)
{
	uintptr_t mask = LARGEST_PAGE - 1, first, end;

	if (payload.file_count == 0)
		return;
	first = (uintptr_t)at(payload.files[0].offset);
	end = (uintptr_t)at(payload.files[payload.file_count - 1].offset);
	end += payload.files[payload.file_count - 1].size;
	first = (first + mask) & ~mask;
	if (end > first)
		call(SYS_madvise, first, end - first, MADV_DONTNEED);
}

/* Bytes for the new argc, argv, envp and auxv; a multiple of 16. Called from _start. */
__attribute__((used)) static size_t stack_size(const uintptr_t *old)
{
	size_t words = 1 + old[0] + 1;

	while (old[words++])
		;
	while (old[words] != AT_NULL)
		words += 2;
	words += 2 + count_of(at(payload.arguments)) + count_of(at(payload.extra)) + 1;
	words += count_of(at(payload.environment));
	return (words * sizeof(uintptr_t) + 15) & ~(size_t)15;
}

/* Fills the new stack and returns the runtime's own entry. Called from _start. */
__attribute__((used)) static uintptr_t start(uintptr_t *stack, const uintptr_t *old)
{
	uintptr_t argc = old[0], *to = stack + 1;
	char ***environ = *(char ****)at(payload.environ_slot);
	const char *text;

	if (call(SYS_faccessat, AT_FDCWD, (long)"/proc/self/fd", 0) < 0)
		fail("error: kmeter needs /proc\nhint: mount -t proc proc /proc\n");
	for (uint64_t index = 0; index < payload.file_count; index++)
		add_file(index);
	forget_files();

	/* Deno is another program if it is called by another name. */
	old += argc > 0 ? 2 : 1;
	for (text = at(payload.arguments); *text; text += length_of(text) + 1)
		*to++ = (uintptr_t)text;
	for (text = at(payload.extra); *text; text += length_of(text) + 1) {
		int is_wanted = *old && is_same((const char *)*old, text);

		text += length_of(text) + 1;
		if (is_wanted)
			*to++ = (uintptr_t)text;
	}
	*to++ = (uintptr_t)at(payload.module);
	for (; *old; old++)
		*to++ = *old;
	stack[0] = to - stack - 1;
	*to++ = *old++;

	/* Since glibc 2.34 the loader has set `environ` before this code runs. */
	*environ = (char **)to;
	for (; *old; old++)
		if (!is_dropped((const char *)*old))
			*to++ = *old;
	for (text = at(payload.environment); *text; text += length_of(text) + 1)
		*to++ = (uintptr_t)text;
	*to++ = *old++;

	for (; old[0] != AT_NULL; old += 2) {
		*to++ = old[0];
		*to++ = old[1];
	}
	*to++ = AT_NULL;
	*to = 0;
	return (uintptr_t)at(payload.entry);
}
