/** Leaving root, for every thread of the process. */

import { EINVAL, errnoCell, kernelError, libc } from "./libc.ts";

/** Whom a process becomes. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

const PR_SET_NO_NEW_PRIVS = 38;
const SYS_SECCOMP = Deno.build.arch === "x86_64" ? 317n : 277n;
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_TSYNC = 1n;

/** `struct seccomp_data` (linux/seccomp.h): number of the call, and the ABI by which it came. */
const CALL_NUMBER_OFFSET = 0;
const CALL_ABI_OFFSET = 4;
/** Classic BPF (linux/bpf_common.h): load a word, jump if equal, jump if any bit is set, return. */
const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_BITS = 0x45;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
/** The call fails with EPERM. */
const REFUSE = 0x00050001;
/** Bit of the calls of the x32 ABI, which nobody here makes. */
const X32_BIT = 0x40000000;

/** AUDIT_ARCH_… of the ABI, and the numbers of `execve` and `execveat` in it. */
const ABI = Deno.build.arch === "x86_64"
  ? { audit: 0xc000003e, execve: 59, execveat: 322 }
  : { audit: 0xc00000b7, execve: 221, execveat: 281 };

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number];

/** `struct sock_filter`: u16 code, u8 jt, u8 jf, u32 k. */
const INSTRUCTION_SIZE_BYTES = 8;
const NO_PROGRAM_STARTS: readonly Instruction[] = [
  [LOAD_WORD, 0, 0, CALL_ABI_OFFSET],
  [JUMP_EQUAL, 0, 5, ABI.audit],
  [LOAD_WORD, 0, 0, CALL_NUMBER_OFFSET],
  [JUMP_BITS, 3, 0, X32_BIT],
  [JUMP_EQUAL, 2, 0, ABI.execve],
  [JUMP_EQUAL, 1, 0, ABI.execveat],
  [RETURN, 0, 0, ALLOW],
  [RETURN, 0, 0, REFUSE],
];

/**
 * Makes this process another user's, for good, in all of its threads: uid and gid (real, effective, saved), no
 * supplementary groups, no capabilities but inheritable ones, `no_new_privs`, and no way to start a program.
 *
 * libc hands ids on to all threads, and the kernel takes the capabilities of a thread that leaves uid 0. Prctl
 * and capset reach the calling thread only; a seccomp filter that is synchronised takes `no_new_privs` along.
 *
 * **Needs** uid 0, CAP_SETUID and CAP_SETGID. **Throws** KernelError; some of it may have happened then.
 */
export function becomeUser({ uid, gid }: Account): void {
  const what = `Cannot become uid ${uid}, gid ${gid}`;
  const errno = errnoCell();
  const must = (call: string, result: number) => {
    if (result !== 0) throw kernelError({ call, errno: errno[0], what });
  };
  must("setgroups", libc().setgroups(0n, null));
  must("setresgid", libc().setresgid(gid, gid, gid));
  must("setresuid", libc().setresuid(uid, uid, uid));
  must("prctl(PR_SET_NO_NEW_PRIVS)", libc().prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n));
  const otherThread = Number(filterCalls(NO_PROGRAM_STARTS));
  must("seccomp", Math.min(otherThread, 0));
  if (otherThread > 0) {
    const details = [`thread ${otherThread} has system call filters of its own`];
    throw kernelError({ call: "seccomp", errno: EINVAL, what, details });
  }
}

/** @returns 0, -1 and errno, or the id of a thread that has filters of its own. */
function filterCalls(instructions: readonly Instruction[]): bigint {
  const filter = new Uint8Array(instructions.length * INSTRUCTION_SIZE_BYTES);
  const view = new DataView(filter.buffer);
  instructions.forEach(([code, ifTrue, ifFalse, operand], index) => {
    const offset = index * INSTRUCTION_SIZE_BYTES;
    view.setUint16(offset, code, true);
    view.setUint8(offset + 2, ifTrue);
    view.setUint8(offset + 3, ifFalse);
    view.setUint32(offset + 4, operand, true);
  });
  // `struct sock_fprog`: u16 len, padding, struct sock_filter *filter.
  const program = new BigUint64Array(2);
  program[0] = BigInt(instructions.length);
  program[1] = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(filter)));
  const bytes = new Uint8Array(program.buffer);
  const result = libc().seccomp(
    SYS_SECCOMP,
    SECCOMP_SET_MODE_FILTER,
    SECCOMP_FILTER_FLAG_TSYNC,
    bytes,
  );
  // The filter must stay alive until the kernel has read it.
  return filter.length > 0 ? result : -1n;
}
