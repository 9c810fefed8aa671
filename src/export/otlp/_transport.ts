/** How a request gets to a collector. */

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
