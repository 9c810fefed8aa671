/** Requests that wait to be sent, and whoever sends them. */

import type { Transport } from "./_transport.ts";
import type { ExporterCounts } from "./messages.ts";

const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 30_000;
/** A collector may ask for longer pauses than these; it does not get them. */
const MAX_ASKED_PAUSE_MS = 5 * 60_000;

/** One request. */
interface Request {
  readonly packed: Uint8Array<ArrayBuffer>;
  readonly points: number;
}

/** Parts of a {@linkcode SendQueue}. */
export interface SendQueueOptions {
  /** For warnings. */
  readonly name: string;
  readonly url: string;
  readonly transport: Transport;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly onCounts: (counts: ExporterCounts) => void;
  readonly warn: (text: string) => void;
}

/**
 * Sends requests one after the other, in their order. What fails and may have a chance is sent again, after
 * pauses that grow from a second to half a minute, or that the collector asks for. Nothing is dropped but
 * what the collector refuses for good; whoever fills the queue looks at `isFull` first.
 */
export class SendQueue {
  readonly #options: SendQueueOptions;
  readonly #requests: Request[] = [];
  #bytes = 0;
  #isSending = false;
  #pauseMs = FIRST_PAUSE_MS;
  /** True from a failure to the next success: one warning for each outage. */
  #isDown = false;
  #hasEnded = false;
  #isFinishing = false;
  /** Ends the pause under way, unless the collector asked for it. */
  #wake: () => void = () => {};
  #onEmpty: () => void = () => {};
  #counts = { sent: 0, refused: 0, unsent: 0 };
  readonly #failures: Record<string, number> = {};

  constructor(options: SendQueueOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#bytes > this.#options.maxBytes;
  }

  /** True if not even what cannot wait has room: last values of gadgets that stop meanwhile may take as much again. */
  get isOverfull(): boolean {
    return this.#bytes > 2 * this.#options.maxBytes;
  }

  /** Counts and tells points that have no room. */
  lose(points: number): void {
    const { name, url, warn } = this.#options;
    this.#counts.unsent += points;
    warn(
      `exporter ${name}: ${points} data points of a gadget that has ended are lost: ` +
        `${this.#bytes} bytes wait for ${url} already`,
    );
  }

  add(body: Uint8Array<ArrayBuffer>, points: number): void {
    const packed = this.#options.transport.pack(body);
    this.#requests.push({ packed, points });
    this.#bytes += packed.length;
    void this.#sendAll();
  }

  /** Tells the counts as they are now. */
  report(): void {
    const queued = this.#requests.reduce((sum, { points }) => sum + points, 0);
    this.#options.onCounts({
      ...this.#counts,
      queued,
      failures: { ...this.#failures },
      isFull: this.isFull,
    });
  }

  async #sendAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    for (let next = this.#requests[0]; next !== undefined; next = this.#requests[0]) {
      const pauseMs = await this.#send(next);
      if (this.#hasEnded) return;
      this.report();
      if (pauseMs !== undefined) await this.#pause(pauseMs);
    }
    this.#isSending = false;
    this.#onEmpty();
  }

  /** @returns how long to wait before it is sent again; undefined if it is done with. */
  async #send(request: Request): Promise<{ ms: number; isAsked: boolean } | undefined> {
    const { transport, timeoutMs, name, url, warn } = this.#options;
    const delivery = await transport.send(request.packed, timeoutMs);
    if (this.#hasEnded) return undefined;
    if (delivery.kind !== "taken") {
      this.#failures[delivery.reason] = (this.#failures[delivery.reason] ?? 0) + 1;
    }
    switch (delivery.kind) {
      case "taken": {
        const refused = Math.min(Math.max(0, delivery.refusedPoints), request.points);
        this.#counts.sent += request.points - refused;
        this.#counts.refused += refused;
        if (refused > 0 || delivery.message !== "") {
          warn(
            `exporter ${name}: ${url} has left out ${refused} of ${request.points} data points: ` +
              `${delivery.message || "it does not say why"}`,
          );
        }
        break;
      }
      case "refused":
        this.#counts.refused += request.points;
        warn(
          `exporter ${name}: ${url} refuses ${request.points} data points, they are lost: ` +
            delivery.message,
        );
        break;
      case "later":
        if (!this.#isDown) {
          warn(`exporter ${name}: cannot push to ${url}, tries again: ${delivery.message}`);
        }
        this.#isDown = true;
        return this.#nextPause(delivery.waitMs);
    }
    this.#isDown = false;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#requests.shift();
    this.#bytes -= request.packed.length;
    return undefined;
  }

  /** Random, so that many hosts do not come back at once. */
  #nextPause(askedMs: number | undefined): { ms: number; isAsked: boolean } {
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
    if (askedMs !== undefined) {
      return { ms: Math.min(askedMs, MAX_ASKED_PAUSE_MS), isAsked: true };
    }
    return { ms: pauseMs * (0.5 + Math.random() / 2), isAsked: false };
  }

  async #pause({ ms, isAsked }: { ms: number; isAsked: boolean }): Promise<void> {
    const ownMs = this.#isFinishing ? Math.min(ms, FIRST_PAUSE_MS / 2) : ms;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, isAsked ? ms : ownMs);
      this.#wake = () => {
        if (isAsked) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Sends what there is, for so long, with short pauses. What is left then is counted and lost. */
  async finish(withinMs: number): Promise<void> {
    const { name, url, warn, transport } = this.#options;
    this.#isFinishing = true;
    this.#wake();
    if (this.#isSending) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, withinMs);
        this.#onEmpty = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#hasEnded = true;
    const unsent = this.#requests.splice(0).reduce((sum, { points }) => sum + points, 0);
    this.#counts.unsent += unsent;
    this.report();
    if (unsent > 0) {
      warn(
        `exporter ${name}: ${unsent} data points could not be pushed to ${url} within ` +
          `${withinMs / 1000} s of the end, and are lost`,
      );
    }
    transport.close();
  }
}
