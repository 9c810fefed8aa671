/** Entry of the thread that pushes. gRPC, TLS and all that is written and kept for collectors lives here. */

import { Exporter } from "./_exporter.ts";
import { GrpcTransport } from "./_grpc_transport.ts";
import { HttpTransport } from "./_http_transport.ts";
import { SetLabels } from "./_set_labels.ts";
import type { Transport } from "./_transport.ts";
import type { ExporterOptions } from "./exporter_options.ts";
import type { OtlpOrder, OtlpReport, Push } from "./messages.ts";

/** The part of a worker's global scope that is used: its types are not those of the main thread. */
interface WorkerScope {
  onmessage: (event: MessageEvent<OtlpOrder>) => void;
  postMessage(report: OtlpReport): void;
}

const scope = globalThis as unknown as WorkerScope;
const labels = new Map<number, SetLabels>();
let exporters: readonly Exporter[] = [];

scope.onmessage = async ({ data }) => {
  try {
    await obey(data);
  } catch (error) {
    scope.postMessage({
      kind: "failed",
      message: error instanceof Error ? error.message : String(error),
    });
  }
};

async function obey(order: OtlpOrder): Promise<void> {
  switch (order.kind) {
    case "configure":
      exporters = order.exporters.map((options, index) => makeExporter(options, { order, index }));
      return scope.postMessage({ kind: "ready" });
    case "push":
      take(order.push);
      return scope.postMessage({ kind: "taken", exporter: order.push.exporter });
    case "forget":
      for (const set of order.sets) {
        labels.delete(set);
        for (const exporter of exporters) exporter.forget(set);
      }
      return;
    case "finish":
      await Promise.all(exporters.map((exporter) => exporter.finish(order.withinMs)));
      return scope.postMessage({ kind: "finished" });
  }
}

function makeExporter(
  options: ExporterOptions,
  { order, index }: { order: OtlpOrder & { kind: "configure" }; index: number },
): Exporter {
  return new Exporter({
    ...order,
    options,
    transport: openTransport(options, `kmeter/${order.version}`),
    onCounts: (counts) => scope.postMessage({ kind: "counts", exporter: index, counts }),
    warn: (text) => scope.postMessage({ kind: "warning", text }),
  });
}

function openTransport(options: ExporterOptions, agent: string): Transport {
  try {
    return options.protocol === "grpc"
      ? new GrpcTransport(options, agent)
      : new HttpTransport(options, agent);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`exporter ${options.name}: its certificate or key: ${message}`, { cause });
  }
}

function take(push: Push): void {
  for (const snapshot of push.sets) {
    if (snapshot.description !== undefined) {
      labels.set(snapshot.set, new SetLabels(snapshot.description));
    }
    labels.get(snapshot.set)?.learn(snapshot);
  }
  exporters[push.exporter].push(push, labels);
}
