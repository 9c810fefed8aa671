// SPDX-License-Identifier: Apache-2.0

/*
 * A library to preload behind libfaketime. kmeter asks libc itself for clock_gettime, past whatever is preloaded:
 * with this it gets the one that the program would be linked to.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>

/* Versions of dlsym in glibc: since 2.34, and before on x86_64 and on aarch64. */
static const char *const versions[] = { "GLIBC_2.34", "GLIBC_2.2.5", "GLIBC_2.17" };

void *dlsym(void *handle, const char *name)
{
	static void *(*real)(void *, const char *);

	for (unsigned int i = 0; !real && i < sizeof(versions) / sizeof(*versions); i++)
		real = dlvsym(RTLD_NEXT, "dlsym", versions[i]);
	return real(handle == RTLD_NEXT || strcmp(name, "clock_gettime") ? handle : RTLD_DEFAULT, name);
}
