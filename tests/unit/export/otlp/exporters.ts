/** Exporters that push to a test's own collectors. */

import type { ExporterKey, ExporterOptions } from "../../../../src/export/mod.ts";
import { makeExporterOptions } from "../../../../src/export/mod.ts";
import { OtlpPush, type OwnMetricValues } from "../../../../src/export/mod.ts";
import type { MetricSet } from "../../../../src/metrics/mod.ts";

/** An exporter of these settings. It pushes only at the end, unless an interval is set. */
export function exporter(
  settings: Partial<Record<ExporterKey, string>>,
  name = "test",
): ExporterOptions {
  const all = { exporter: "otlp-http", interval: "1h", ...settings };
  return makeExporterOptions(
    name,
    new Map(
      Object.entries(all).map(([key, value]) => [
        key as ExporterKey,
        { value, source: `--otel-exporter ${name}.${key}` },
      ]),
    ),
  );
}

/** A push under way, and the warnings that it gave. Ownership: `using` ends its thread. */
export interface PushUnderTest extends Disposable {
  readonly push: OtlpPush;
  readonly warnings: string[];
  readonly startMs: number;
}

/** Begins to push sets. */
export async function startPush(
  exporters: readonly ExporterOptions[],
  sets: readonly MetricSet[],
  options: { readonly own?: readonly OwnMetricValues[]; readonly prefix?: string } = {},
): Promise<PushUnderTest> {
  const warnings: string[] = [];
  const push = await OtlpPush.open({
    exporters,
    resource: new Map([["service.name", "test"]]),
    version: "1.2.3",
    prefix: options.prefix,
    warn: (text) => warnings.push(text),
  });
  const startMs = Date.now();
  push.add({ sets, startMs, refresh: () => Promise.resolve() });
  push.begin(() => Promise.resolve(options.own ?? []));
  return { push, warnings, startMs, [Symbol.dispose]: () => push.close() };
}
