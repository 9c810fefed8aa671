/** The metrics of a data source, as they would be exported. */

import { translateMetricName } from "../export/mod.ts";
import {
  type DataSourceSpec,
  metricRoles,
  type MetricType,
  translateLabelName,
} from "../gadget/mod.ts";

/** One metric and where it comes from. */
export interface ExportedMetric {
  /** Name in Prometheus. */
  readonly name: string;
  /** Name of the instrument. */
  readonly instrument: string;
  readonly type: MetricType;
  /** UCUM, may be "". */
  readonly unit: string;
  /** May be "". */
  readonly description: string;
  /** The field; absent if records are counted. */
  readonly field?: string;
}

/** @throws UsageError for roles that cannot be, as `metricRoles` does. */
export function exportedMetrics(
  source: DataSourceSpec,
  { prefix }: { prefix?: string } = {},
): { readonly labels: readonly string[]; readonly metrics: readonly ExportedMetric[] } {
  const { keys, values, implicitCounter } = metricRoles(source);
  const instruments = [
    ...values.map(({ field, ...rest }) => ({ ...rest, field: field.name })),
    ...(implicitCounter === undefined
      ? []
      : [{ ...implicitCounter, type: "counter" as const, unit: "", field: undefined }]),
  ];
  return {
    labels: keys.map(({ label }) => translateLabelName(label)),
    metrics: instruments.map(({ name, type, unit, description, field }) => ({
      name: translateMetricName({ name, type, unit }, prefix).name,
      instrument: name,
      type,
      unit,
      description,
      ...(field !== undefined && { field }),
    })),
  };
}
