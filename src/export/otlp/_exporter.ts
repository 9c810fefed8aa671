/** One exporter in the thread that pushes: what it remembers, and its queue. */

import { JsonRequest } from "./_json_request.ts";
import { OwnPoints } from "./_own_points.ts";
import { ProtobufRequest } from "./_protobuf_request.ts";
import { RequestBatches } from "./_request_batches.ts";
import { SendQueue, type SendQueueOptions } from "./_send_queue.ts";
import type { SetLabels } from "./_set_labels.ts";
import { type PointContext, SetPoints } from "./_set_points.ts";
import { type ExporterOptions, shownUrl } from "./exporter_options.ts";
import type { Push } from "./messages.ts";
import type { ResourceAttributes } from "./resource.ts";

/** What an exporter is made of. */
export interface ExporterParts extends Pick<SendQueueOptions, "transport" | "onCounts" | "warn"> {
  readonly options: ExporterOptions;
  readonly resource: ResourceAttributes;
  readonly version: string;
  readonly prefix: string | undefined;
  /** Since when kmeter's own metrics count, in ms since the epoch. */
  readonly startMs: number;
}

/** Turns pushes into requests. Ownership: `finish` closes the transport. */
export class Exporter {
  readonly #options: ExporterOptions;
  readonly #version: string;
  readonly #prefix: string | undefined;
  readonly #queue: SendQueue;
  readonly #batches: RequestBatches;
  /** By number of the set. */
  readonly #sets = new Map<number, SetPoints>();
  /** Until when series of a scope were told whose sets are forgotten: later ones begin then. */
  readonly #endsMs = new Map<string, number>();
  readonly #own = new OwnPoints();
  /** Time of the last push of kmeter's own metrics. */
  #ownMs: number;
  /** True while points find no room in the queue. */
  #loses = false;

  constructor({ options, resource, version, prefix, startMs, ...parts }: ExporterParts) {
    const { name, timeoutMs, maxQueueBytes, temporality, protocol } = options;
    this.#options = options;
    this.#version = version;
    this.#prefix = prefix;
    this.#ownMs = startMs;
    this.#queue = new SendQueue({
      ...parts,
      name,
      url: shownUrl(options),
      timeoutMs,
      maxBytes: maxQueueBytes,
    });
    const writer = protocol === "http/json"
      ? new JsonRequest(resource, temporality)
      : new ProtobufRequest(resource, temporality);
    this.#batches = new RequestBatches(writer, {
      onRequest: (body, points) =>
        this.#loses ? this.#queue.lose(points) : this.#queue.add(body, points),
    });
  }

  /** Makes requests of a push. Everything that it tells counts as told. */
  push({ sets, own, timeMs, isLast }: Push, labels: ReadonlyMap<number, SetLabels>): void {
    const { temporality, histograms } = this.#options;
    const context: PointContext = {
      temporality,
      histograms,
      prefix: this.#prefix,
      timeMs,
      previousMs: this.#ownMs,
    };
    this.#loses = isLast && this.#queue.isOverfull;
    for (const snapshot of sets) {
      const setLabels = labels.get(snapshot.set);
      if (setLabels === undefined) throw new Error(`BUG: set ${snapshot.set} is not described`);
      const points = this.#pointsOf(snapshot.set, setLabels);
      points.push(snapshot, { ...context, labels: setLabels, into: this.#batches });
    }
    this.#own.push(own, { ...context, into: this.#batches, version: this.#version });
    this.#batches.end();
    if (own.length > 0) this.#ownMs = timeMs;
    this.#queue.report();
  }

  #pointsOf(set: number, { description }: SetLabels): SetPoints {
    const known = this.#sets.get(set);
    if (known !== undefined) return known;
    const { scope, startMs } = description;
    const points = new SetPoints(description, Math.max(startMs, this.#endsMs.get(scope) ?? 0));
    this.#sets.set(set, points);
    return points;
  }

  /** Of a set that is not pushed any more, only its end is remembered. */
  forget(set: number): void {
    const points = this.#sets.get(set);
    if (points === undefined) return;
    this.#endsMs.set(points.scope, points.toldMs);
    this.#sets.delete(set);
  }

  finish(withinMs: number): Promise<void> {
    return this.#queue.finish(withinMs);
  }
}
