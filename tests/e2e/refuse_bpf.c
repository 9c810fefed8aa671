// SPDX-License-Identifier: Apache-2.0

/*
 * Runs a program on a kernel that seems older: usage: refuse_bpf ERRNO CMD[,CMD...] PROGRAM [ARGS...]
 *
 * A seccomp filter refuses these commands of bpf(2) with that error number, in the program and all it starts. x86-64
 * and aarch64.
 */

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_COMMANDS 32

int main(int argc, char **argv)
{
	struct sock_filter code[MAX_COMMANDS + 5];
	int commands[MAX_COMMANDS], count = 0, at = 0;

	if (argc < 4)
		return 2;
	for (char *text = argv[2]; count < MAX_COMMANDS; text++) {
		commands[count++] = strtol(text, &text, 10);
		if (*text != ',')
			break;
	}
	code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						  offsetof(struct seccomp_data, nr));
	code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_bpf, 0, count + 1);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						  offsetof(struct seccomp_data, args[0]));
	for (int i = 0; i < count; i++)
		code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, commands[i],
							  count - i, 0);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | atoi(argv[1]));

	struct sock_fprog program = { .len = at, .filter = code };

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("prctl");
		return 1;
	}
	execv(argv[3], argv + 3);
	perror(argv[3]);
	return 1;
}
