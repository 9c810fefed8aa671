/** Messages to the service manager that started kmeter, as sd_notify(3) sends them. */

import { UsageError } from "../src/errors.ts";
import { errnoCell, kernelError, libc } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
/** `struct sockaddr_un` (linux/un.h): the family in two bytes, and a path. */
const PATH_OFFSET = 2;
const PATH_SIZE_BYTES = 108;

/**
 * Sends a message as one datagram.
 * @param address a path, or `@` and an abstract name: what NOTIFY_SOCKET holds.
 * @throws KernelError if nobody can be reached there, UsageError if the address is of another kind or too long.
 *
 * **Cost**: waits while the receiver's queue is full.
 */
export function sendNotification(address: string, message: string): void {
  const target = socketAddress(address);
  const what = `Cannot notify the service manager at "${address}"`;
  const errno = errnoCell();
  const fd = libc().socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw kernelError({ call: "socket", errno: errno[0], what });
  const bytes = new TextEncoder().encode(message);
  const sent = libc().sendto(
    fd,
    bytes,
    BigInt(bytes.length),
    MSG_NOSIGNAL,
    target,
    target.length,
  );
  const sendErrno = errno[0];
  libc().close(fd);
  if (sent < 0n) throw kernelError({ call: "sendto", errno: sendErrno, what });
}

function socketAddress(address: string): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(address);
  const isKnown = address.startsWith("/") || address.startsWith("@");
  if (!isKnown || name.length < 2 || name.length > PATH_SIZE_BYTES) {
    throw new UsageError(
      `NOTIFY_SOCKET is "${address}": want a path or @NAME of at most ${PATH_SIZE_BYTES} bytes`,
    );
  }
  // An abstract name begins with a NUL, and is as long as the address says.
  if (address.startsWith("@")) name[0] = 0;
  const target = new Uint8Array(PATH_OFFSET + name.length);
  new DataView(target.buffer).setUint16(0, AF_UNIX, true);
  target.set(name, PATH_OFFSET);
  return target;
}
