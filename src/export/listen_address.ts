/** Where to listen, as written in `--listen`. */

import { UsageError } from "../errors.ts";

/** A host and a port; port 0 lets the kernel choose. */
export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
}

/**
 * Parses `HOST:PORT`, `[IPV6]:PORT` or `:PORT`. As in every Prometheus exporter, `:PORT` means all
 * interfaces.
 *
 * Throws: `UsageError` for anything else.
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) {
    throw new UsageError(`Cannot listen on "${text}": not of the form ADDRESS:PORT`, {
      hint:
        "write --listen 127.0.0.1:2224, --listen [::1]:2224, or --listen :2224 for all interfaces",
    });
  }
  return { hostname: match[1] ?? (match[2] === "" ? "0.0.0.0" : match[2]), port };
}

/** The address as it stands in a URL. */
export function addressText({ hostname, port }: ListenAddress): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
