/** How a request gets to a collector, and what the ways have in common. */

import { gzipSync } from "node:zlib";
import type { TlsFiles } from "./_tls_files.ts";

/** 1/7 at 500 MB/s; higher levels take twice the time for little. */
const GZIP_LEVEL = 1;
/** Answers are small; more of one is not read. */
export const MAX_ANSWER_BYTES = 64 * 1024;

/** What has become of a request. */
export type Delivery =
  /** The collector has it, but for points that it does not want. */
  | { readonly kind: "taken"; readonly refusedPoints: number; readonly message: string }
  /** It may have a chance later. */
  | {
    readonly kind: "later";
    readonly reason: string;
    readonly message: string;
    /** What the collector asked for. */
    readonly waitMs?: number;
  }
  /** It never will. */
  | { readonly kind: "refused"; readonly reason: string; readonly message: string };

/** A way to one collector. */
export interface Transport {
  /** Makes what is kept until it is sent. */
  pack(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /** Sends once. Never rejects. */
  send(packed: Uint8Array<ArrayBuffer>, timeoutMs: number): Promise<Delivery>;
  close(): void;
}

export function gzip(body: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(body, { level: GZIP_LEVEL }));
}

/** Throws: Error if a certificate or key cannot be used. */
export function createClient({ ca, cert, key }: TlsFiles): Deno.HttpClient {
  return Deno.createHttpClient({
    ...(ca !== undefined && { caCerts: [ca] }),
    ...(cert !== undefined && key !== undefined && { cert, key }),
  });
}
