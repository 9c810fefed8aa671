/** epoll: waits for file descriptors without a timer, with or without blocking the JavaScript thread. */

import { EINTR, errnoCell, kernelError, libc } from "./libc.ts";

const EPOLL_CLOEXEC = 0o2000000;
const EFD_CLOEXEC_NONBLOCK = 0o2000000 | 0o4000;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
const POLLIN = 1;
const POLLOUT = 4;
const POLLERR = 8;
/** `struct epoll_event` is packed on x86_64 only. */
const EVENT_SIZE_BYTES = Deno.build.arch === "x86_64" ? 12 : 16;
const EVENT_DATA_OFFSET = EVENT_SIZE_BYTES - 8;
const MAX_EVENTS = 64;

/** What another thread needs to wait on a `Poller`; can be posted to it. */
export interface PollerHandle {
  readonly epollFd: number;
  readonly wakeFd: number;
}

/** True if a write of a few bytes to the descriptor, `PIPE_BUF` for a pipe, would not block now. */
export function isWritable(fd: number): boolean {
  // Errors count as writable: the write tells what is wrong.
  return pollNow(fd, POLLOUT) !== 0;
}

/** True if nobody will ever read what is written to this pipe. */
export function hasLostReader(fd: number): boolean {
  return (pollNow(fd, 0) & POLLERR) !== 0;
}

/** @returns what of `events`, or of errors, is there now. */
function pollNow(fd: number, events: number): number {
  // struct pollfd: int fd, short events, short revents.
  const poll = new Int16Array(4);
  new Int32Array(poll.buffer)[0] = fd;
  poll[2] = events;
  const now = new BigInt64Array(2);
  const result = libc().ppoll(new Uint8Array(poll.buffer), 1n, now, null);
  // A failed call is told by the next write.
  return result < 0 ? events : poll[3];
}

/** An epoll instance with an eventfd that ends a wait early. */
export class Poller implements Disposable {
  readonly #epollFd: number;
  readonly #wakeFd: number;
  readonly #events = new Uint8Array(EVENT_SIZE_BYTES * MAX_EVENTS);
  #waiting: Promise<void> | undefined;
  #open = true;

  constructor() {
    const errno = errnoCell();
    this.#epollFd = libc().epoll_create1(EPOLL_CLOEXEC);
    if (this.#epollFd < 0) {
      throw kernelError({ call: "epoll_create1", errno: errno[0], what: "Cannot wait for events" });
    }
    try {
      this.#wakeFd = openEventFd();
    } catch (error) {
      libc().close(this.#epollFd);
      throw error;
    }
    try {
      this.add(this.#wakeFd);
    } catch (error) {
      libc().close(this.#wakeFd);
      libc().close(this.#epollFd);
      throw error;
    }
  }

  /** For a `BlockingPoller` in another thread, which must have ended before `close`. */
  get handle(): PollerHandle {
    return { epollFd: this.#epollFd, wakeFd: this.#wakeFd };
  }

  /** Adds a descriptor that becomes readable when there is something to do. It is not owned. */
  add(fd: number): void {
    const event = new Uint8Array(EVENT_SIZE_BYTES);
    const view = new DataView(event.buffer);
    view.setUint32(0, EPOLLIN, true);
    view.setInt32(EVENT_DATA_OFFSET, fd, true);
    const errno = errnoCell();
    if (libc().epoll_ctl(this.#epollFd, EPOLL_CTL_ADD, fd, event) < 0) {
      throw kernelError({ call: "epoll_ctl", errno: errno[0], what: "Cannot wait for events" });
    }
  }

  /**
   * Resolves when a descriptor is readable or `wake` was called. One wait at a time.
   * Cost: one thread of Deno's pool sleeps in the kernel; nothing runs until an event comes.
   */
  async wait(): Promise<void> {
    if (this.#waiting !== undefined) throw new Error("BUG: two waits on one Poller");
    this.#waiting = this.#waitOnce();
    try {
      await this.#waiting;
    } finally {
      this.#waiting = undefined;
    }
  }

  async #waitOnce(): Promise<void> {
    const count = await libc().epoll_wait(this.#epollFd, this.#events, MAX_EVENTS, -1);
    // A nonblocking call ran on another thread, so its errno is out of reach; with valid arguments
    // only EINTR remains, and the caller's loop then waits again.
    if (count < 0) return;
    resetEventFd(this.#wakeFd);
  }

  /** Ends the current or the next wait. */
  wake(): void {
    if (!this.#open) return;
    signalEventFd(this.#wakeFd);
  }

  /** Closes both descriptors once no wait is under way. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.wake();
    this.#open = false;
    await this.#waiting;
    libc().close(this.#wakeFd);
    libc().close(this.#epollFd);
  }

  [Symbol.dispose](): void {
    void this.close();
  }
}

/** Waits on another thread's `Poller` and blocks this one: it wakes in 20 µs instead of 100. */
export class BlockingPoller {
  readonly #handle: PollerHandle;
  readonly #events = new Uint8Array(EVENT_SIZE_BYTES * MAX_EVENTS);
  /** `struct pollfd` of the eventfd. */
  readonly #pollFd = new Int32Array(2);
  /** `struct timespec`: seconds, nanoseconds. */
  readonly #timeout = new BigInt64Array(2);

  constructor(handle: PollerHandle) {
    this.#handle = handle;
    this.#pollFd[0] = handle.wakeFd;
    this.#pollFd[1] = POLLIN;
  }

  /** Sleeps until a descriptor is readable or the `Poller` is woken. */
  wait(): void {
    libc().epoll_wait_blocking(this.#handle.epollFd, this.#events, MAX_EVENTS, -1);
    resetEventFd(this.#handle.wakeFd);
  }

  /** Sleeps for so long (less than a second), whatever is readable, or until the `Poller` is woken. */
  pause(durationMs: number): void {
    this.#timeout[1] = BigInt(Math.round(durationMs * 1e6));
    libc().ppoll(this.#pollFd, 1n, this.#timeout, null);
    resetEventFd(this.#handle.wakeFd);
  }
}

/**
 * Lets the event loop look for what has come from sockets and files: for long work on the main thread.
 *
 * Deno's runtime looks there when it has nothing else to do, and else only every 61 turns, however
 * many turns `setImmediate` gives it: with turns of 3 ms a request waited for 200 ms. This leaves it
 * with nothing to do until a thread of the pool answers. Cost: 70 µs.
 */
export async function yieldToEvents(): Promise<void> {
  await libc().pool_yield();
}

/** Opens an eventfd whose reads and writes do not block. @throws KernelError. */
export function openEventFd(): number {
  const errno = errnoCell();
  const fd = libc().eventfd(0, EFD_CLOEXEC_NONBLOCK);
  if (fd < 0) {
    throw kernelError({ call: "eventfd", errno: errno[0], what: "Cannot wait for events" });
  }
  return fd;
}

/** Makes an eventfd readable. */
export function signalEventFd(fd: number): void {
  const one = new Uint8Array(8);
  one[0] = 1;
  const errno = errnoCell();
  if (libc().write(fd, one, 8n) < 0n && errno[0] === EINTR) signalEventFd(fd);
}

/** Makes an eventfd unreadable until it is signalled again. */
export function resetEventFd(fd: number): void {
  libc().read(fd, new Uint8Array(8), 8n);
}
