/* Replaces libelf's elf_error.o, the one member of Debian's libelf.a that no shared object can take:
 * the archive is compiled for executables, so its thread-local error number has a fixed address.
 * The texts are still libelf's own: build_libbpf keeps the data of elf_error.o and makes its two
 * tables visible. MESSAGES_SIZE is the size of libelf_msgidx in bytes.
 */
#include <stddef.h>
#include <stdint.h>

#define PUBLIC __attribute__((visibility("default")))
#define MESSAGES ((int)(MESSAGES_SIZE / sizeof(uint_fast16_t)))

/* Where the text of each error starts in libelf_msgstr. */
extern const uint_fast16_t libelf_msgidx[];
extern const char libelf_msgstr[];

static __thread int last_error;

/* All of libelf reports its errors here. */
void __libelf_seterrno(int value)
{
	/* As libelf does: 1 is "unknown error". */
	last_error = value >= 0 && value < MESSAGES ? value : 1;
}

PUBLIC int elf_errno(void)
{
	int error = last_error;

	last_error = 0;
	return error;
}

/* 0: the last error, NULL if there is none. -1: the last error, or the text of none. */
PUBLIC const char *elf_errmsg(int error)
{
	if (error == 0 && last_error == 0)
		return NULL;
	if (error == 0 || error == -1)
		error = last_error;
	else if (error < 0 || error >= MESSAGES)
		error = 1;
	return libelf_msgstr + libelf_msgidx[error];
}
