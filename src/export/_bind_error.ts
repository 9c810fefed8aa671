/** What to say of an address that cannot be had. */

import { KernelError, UsageError } from "../errors.ts";
import { addressText, type ListenAddress } from "./listen_address.ts";

const KNOWN = [
  {
    type: Deno.errors.AddrInUse,
    code: "EADDRINUSE",
    errno: 98,
    hint: "another process listens there; choose another address with --listen ADDR:PORT",
  },
  {
    type: Deno.errors.AddrNotAvailable,
    code: "EADDRNOTAVAIL",
    errno: 99,
    hint: "no interface has this address; choose another with --listen ADDR:PORT",
  },
  {
    type: Deno.errors.PermissionDenied,
    code: "EACCES",
    errno: 13,
    hint: "ports below 1024 need root; choose another with --listen ADDR:PORT",
  },
] as const;

/** The error for what Deno or Node threw: `KernelError`, or `UsageError` if the host is unknown. */
export function bindError(address: ListenAddress, cause: unknown): KernelError | UsageError {
  const what = `Cannot serve metrics on ${addressText(address)}`;
  const { code: thrown } = cause as { code?: unknown };
  const known = KNOWN.find(({ type, code }) => cause instanceof type || thrown === code);
  if (known !== undefined) {
    const { code, errno, hint } = known;
    return new KernelError(`${what}: ${code} from bind`, { call: "bind", errno, hint, cause });
  }
  return new UsageError(`${what}: ${cause instanceof Error ? cause.message : cause}`, {
    cause,
    hint: "choose another address with --listen ADDR:PORT",
  });
}
