/** libc as kmeter uses it: errno, mmap, epoll, eventfd, clocks, streams, datagrams and `perf_event_open`. */

import { openLazily } from "./lazy_library.ts";
import { KernelError, UsageError } from "../src/errors.ts";

const SIGSTOP = 19;

const TABLE = {
  __errno_location: { parameters: [], result: "pointer" }, // int *
  mmap: {
    parameters: [
      "pointer", // void *addr
      "usize", // size_t length
      "i32", // int prot
      "i32", // int flags
      "i32", // int fd
      "i64", // off_t offset
    ],
    result: "pointer", // void *, MAP_FAILED = -1
  },
  munmap: {
    parameters: ["pointer", "usize"], // void *addr, size_t length
    result: "i32", // int
  },
  madvise: {
    parameters: ["u64", "usize", "i32"], // void *addr, size_t length, int advice
    result: "i32", // int
  },
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" }, // const char *name, unsigned flags
  malloc_trim: { parameters: ["usize"], result: "i32" }, // size_t pad
  kill: { parameters: ["i32", "i32"], result: "i32" }, // pid_t pid, or -pgid; int sig
  umask: { parameters: ["u32"], result: "u32" }, // mode_t mask → the former one
  raise: { parameters: ["i32"], result: "i32" }, // int sig
  close: { parameters: ["i32"], result: "i32" }, // int fd
  read: {
    parameters: ["i32", "buffer", "usize"], // int fd, void *buf, size_t count
    result: "isize", // ssize_t
  },
  pool_read: {
    // read(2) on a thread of Deno's pool, where errno is out of reach.
    name: "read",
    parameters: ["i32", "buffer", "usize"],
    result: "isize",
    nonblocking: true,
  },
  open: { parameters: ["buffer", "i32"], result: "i32" }, // const char *pathname, int flags
  getdents64: {
    parameters: ["i32", "buffer", "usize"], // int fd, void *dirp, size_t length
    result: "isize", // ssize_t
  },
  write: {
    parameters: ["i32", "buffer", "usize"], // int fd, const void *buf, size_t count
    result: "isize", // ssize_t
  },
  socket: {
    parameters: ["i32", "i32", "i32"], // int domain, int type, int protocol
    result: "i32", // int
  },
  sendto: {
    parameters: [
      "i32", // int sockfd
      "buffer", // const void *buf
      "usize", // size_t len
      "i32", // int flags
      "buffer", // const struct sockaddr *dest_addr
      "u32", // socklen_t addrlen
    ],
    result: "isize", // ssize_t
  },
  eventfd: { parameters: ["u32", "i32"], result: "i32" }, // unsigned initval, int flags
  epoll_create1: { parameters: ["i32"], result: "i32" }, // int flags
  epoll_ctl: {
    parameters: [
      "i32", // int epfd
      "i32", // int op
      "i32", // int fd
      "buffer", // struct epoll_event *event
    ],
    result: "i32", // int
  },
  epoll_wait: {
    parameters: [
      "i32", // int epfd
      "buffer", // struct epoll_event *events
      "i32", // int maxevents
      "i32", // int timeout in ms
    ],
    result: "i32", // int
    nonblocking: true,
  },
  /** The same, for a thread that has nothing else to do. */
  epoll_wait_blocking: {
    name: "epoll_wait",
    parameters: [
      "i32", // int epfd
      "buffer", // struct epoll_event *events
      "i32", // int maxevents
      "i32", // int timeout in ms
    ],
    result: "i32", // int
  },
  ppoll: {
    parameters: [
      "buffer", // struct pollfd *fds
      "u64", // nfds_t nfds
      "buffer", // const struct timespec *timeout
      "pointer", // const sigset_t *sigmask
    ],
    result: "i32", // int
  },
  /** Does nothing, on a thread of Deno's pool. */
  pool_yield: { name: "sched_yield", parameters: [], result: "i32", nonblocking: true },
  clock_gettime: {
    parameters: ["i32", "buffer"], // clockid_t, struct timespec *
    result: "i32", // int
  },
  ioctl: {
    parameters: ["i32", "u64", "u64"], // int fd, unsigned long request, unsigned long argument
    result: "i32", // int
  },
  syscall: {
    parameters: [
      // As perf_event_open(2) takes it.
      "i64", // long number
      "buffer", // const struct perf_event_attr *attr
      "i64", // pid_t pid
      "i64", // int cpu
      "i64", // int group_fd
      "i64", // unsigned long flags
    ],
    result: "i64", // long
  },
  vsnprintf: {
    parameters: [
      "buffer", // char *str
      "usize", // size_t size
      "pointer", // const char *format
      "pointer", // va_list, passed as a pointer on x86_64 and aarch64
    ],
    result: "i32", // int
  },
  fopen: {
    parameters: ["buffer", "buffer"], // const char *pathname, const char *mode
    result: "pointer", // FILE *, NULL and errno on error
  },
  fputs: { parameters: ["buffer", "pointer"], result: "i32" }, // const char *s, FILE *stream
  ferror: { parameters: ["pointer"], result: "i32" }, // FILE *stream
  fclose: { parameters: ["pointer"], result: "i32" }, // FILE *stream; 0, or EOF and errno
  /** The address of `int vfprintf(FILE *stream, const char *format, va_list ap)`, to be handed on. */
  vfprintf: { type: "pointer" },
  geteuid: { parameters: [], result: "u32" }, // uid_t
  setgroups: { parameters: ["usize", "buffer"], result: "i32" }, // size_t size, const gid_t *list
  setresgid: { parameters: ["u32", "u32", "u32"], result: "i32" }, // gid_t rgid, gid_t egid, gid_t sgid
  setresuid: { parameters: ["u32", "u32", "u32"], result: "i32" }, // uid_t ruid, uid_t euid, uid_t suid
  prctl: {
    parameters: ["i32", "u64", "u64", "u64", "u64"], // int option, unsigned long arguments
    result: "i32", // int
  },
  /** seccomp(2), for which libc has no function. */
  seccomp: {
    name: "syscall",
    parameters: [
      "i64", // long number
      "u32", // unsigned operation
      "u64", // unsigned flags
      "buffer", // const struct sock_fprog *args
    ],
    result: "i64", // long
  },
  sysconf: { parameters: ["i32"], result: "i64" }, // int name
} as const satisfies Deno.ForeignLibraryInterface;

const LIBC = {
  names: ["libc.so.6"],
  hint: "kmeter needs glibc (Debian, Ubuntu, Fedora...)",
};

type Libc = Deno.DynamicLibrary<typeof TABLE>["symbols"];
const state: { libc?: Libc; errno?: Int32Array } = {};

/** libc's functions. Opens the library at the first call. */
export function libc(): Libc {
  return state.libc ??= openLazily(LIBC, TABLE);
}

/**
 * errno of this thread, as memory: fetched before the call whose errno is wanted, so that no binding
 * runs in between. Never valid after a `nonblocking` call: that ran on another thread.
 */
export function errnoCell(): Int32Array {
  if (state.errno === undefined) {
    const location = libc().__errno_location();
    if (location === null) throw new Error("BUG: __errno_location returned NULL");
    state.errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4));
  }
  return state.errno;
}

/** Names of the errno values that calls for bpf, perf, epoll, files and sockets return (asm-generic/errno*.h). */
const ERRNO_NAMES: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  3: "ESRCH",
  4: "EINTR",
  5: "EIO",
  6: "ENXIO",
  7: "E2BIG",
  8: "ENOEXEC",
  9: "EBADF",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  14: "EFAULT",
  16: "EBUSY",
  17: "EEXIST",
  19: "ENODEV",
  20: "ENOTDIR",
  21: "EISDIR",
  22: "EINVAL",
  23: "ENFILE",
  24: "EMFILE",
  26: "ETXTBSY",
  27: "EFBIG",
  28: "ENOSPC",
  30: "EROFS",
  32: "EPIPE",
  34: "ERANGE",
  36: "ENAMETOOLONG",
  38: "ENOSYS",
  40: "ELOOP",
  75: "EOVERFLOW",
  91: "EPROTOTYPE",
  95: "EOPNOTSUPP",
  98: "EADDRINUSE",
  99: "EADDRNOTAVAIL",
  104: "ECONNRESET",
  110: "ETIMEDOUT",
  111: "ECONNREFUSED",
  122: "EDQUOT",
  // Kernel-internal, but it leaks out of the bpf map code.
  524: "ENOTSUPP",
  // libbpf's own range starts at 4000 (enum libbpf_errno).
  4000: "LIBBPF_ERRNO__LIBELF",
  4001: "LIBBPF_ERRNO__FORMAT",
  4002: "LIBBPF_ERRNO__KVERSION",
  4003: "LIBBPF_ERRNO__ENDIAN",
  4004: "LIBBPF_ERRNO__INTERNAL",
  4005: "LIBBPF_ERRNO__RELOC",
  4006: "LIBBPF_ERRNO__LOAD",
  4007: "LIBBPF_ERRNO__VERIFY",
  4008: "LIBBPF_ERRNO__PROG2BIG",
  4009: "LIBBPF_ERRNO__KVER",
  4010: "LIBBPF_ERRNO__PROGTYPE",
  4011: "LIBBPF_ERRNO__WRNGPID",
  4012: "LIBBPF_ERRNO__INVSEQ",
  4013: "LIBBPF_ERRNO__NLPARSE",
};

export const EPERM = 1;
export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const EACCES = 13;
export const ENODEV = 19;
export const EINVAL = 22;
export const ENOSPC = 28;
export const EOPNOTSUPP = 95;
export const ENOTSUPP = 524;

/** The name of an errno, for example `ENOENT`; `errno 123` if unknown. */
export function errnoName(errno: number): string {
  return ERRNO_NAMES[errno] ?? `errno ${errno}`;
}

/** What failed, for `kernelError`. */
export interface FailedCall {
  /** Function that failed, for example `bpf_object__load`. */
  readonly call: string;
  /** Positive errno. */
  readonly errno: number;
  /** What was tried, on what: "Cannot map the ring buffer \"events\"". */
  readonly what: string;
  /** Lines that tell more, put under the message. */
  readonly details?: readonly string[];
  /** The eBPF program at fault, where it is known to be one program's. */
  readonly program?: string;
  readonly hint?: string;
}

/** The one place that turns a return code into an error. */
export function kernelError(failed: FailedCall): KernelError {
  const { call, errno, what, details = [] } = failed;
  const message = `${what}: ${errnoName(errno)} from ${call}`;
  return new KernelError([message, ...details.map((line) => `  ${line}`)].join("\n"), {
    call,
    errno,
    program: failed.program,
    hint: failed.hint ?? (errno === EPERM ? permissionHint() : undefined),
  });
}

/**
 * What a call of Deno's own failed by: KernelError with its errno, UsageError for what Deno refuses before it
 * asks the kernel, such as a path that is too long; what Deno's permissions forbid stays as it is.
 */
export function systemError(
  cause: unknown,
  { what, call, hint }: { what: string; call: string; hint: string },
): Error {
  if (cause instanceof Deno.errors.NotCapable) return cause;
  const { code, message = String(cause) } = cause as { code?: string; message?: string };
  const known = Object.entries(ERRNO_NAMES).find(([, name]) => name === code);
  return known === undefined
    ? new UsageError(`${what}: ${message}`, { hint, cause })
    : new KernelError(`${what}: ${code} from ${call}`, {
      call,
      errno: Number(known[0]),
      hint,
      cause,
    });
}

function permissionHint(): string {
  return isRoot()
    ? "root is not enough here: the kernel is locked down, lacks the feature, or this is a restricted " +
      "container; kmeter doctor tells what works"
    : "run kmeter as root (sudo)";
}

/** True if the process runs as uid 0. */
export function isRoot(): boolean {
  return libc().geteuid() === 0;
}

/** Size of a memory page in bytes. */
export function pageSizeBytes(): number {
  const SC_PAGESIZE = 30;
  return Number(libc().sysconf(SC_PAGESIZE));
}

const SIGKILL = 9;

/** Kills all processes of a group. @returns false if it has none any more, or they are another user's. */
export function killProcessGroup(id: number): boolean {
  return libc().kill(-id, SIGKILL) === 0;
}

/** Stops this process as Ctrl-Z does; returns when it goes on. */
export function stopProcess(): void {
  libc().raise(SIGSTOP);
}

/** Does something whose new files have none of the rights of `mask`. It must not wait: all threads have this mask meanwhile. */
export function withUmask<T>(mask: number, action: () => T): T {
  const former = libc().umask(mask);
  try {
    return action();
  } finally {
    libc().umask(former);
  }
}
