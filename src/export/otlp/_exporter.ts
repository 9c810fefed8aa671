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
  readonly #own = new OwnPoints();
  #previousMs = 0;

  constructor({ options, resource, version, prefix, ...parts }: ExporterParts) {
    const { name, timeoutMs, maxQueueBytes, temporality, protocol } = options;
    this.#options = options;
    this.#version = version;
    this.#prefix = prefix;
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
      onRequest: (body, points) => this.#queue.add(body, points),
    });
  }

  /** Series that are there at the first push count from this time on. */
  begin(timeMs: number): void {
    this.#previousMs = timeMs;
  }

  /** Makes requests of a push. Everything that it tells counts as told. */
  push({ sets, own, timeMs }: Push, labels: ReadonlyMap<number, SetLabels>): void {
    const { temporality, histograms } = this.#options;
    const context: PointContext = {
      temporality,
      histograms,
      prefix: this.#prefix,
      timeMs,
      previousMs: this.#previousMs,
    };
    for (const snapshot of sets) {
      const setLabels = labels.get(snapshot.set);
      if (setLabels === undefined) throw new Error(`BUG: set ${snapshot.set} is not described`);
      const points = this.#pointsOf(snapshot.set, setLabels);
      points.push(snapshot, { ...context, labels: setLabels, into: this.#batches });
    }
    this.#own.push(own, { ...context, into: this.#batches, version: this.#version });
    this.#batches.end();
    this.#previousMs = timeMs;
    this.#queue.report();
  }

  #pointsOf(set: number, { description }: SetLabels): SetPoints {
    const known = this.#sets.get(set);
    if (known !== undefined) return known;
    const points = new SetPoints(description);
    this.#sets.set(set, points);
    return points;
  }

  finish(withinMs: number): Promise<void> {
    return this.#queue.finish(withinMs);
  }
}
