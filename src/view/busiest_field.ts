/** By which field a table is in order if nobody says: its busiest rows come first. */

import type { Field } from "../decode/mod.ts";
import { type DataSourceSpec, metricRoles } from "../gadget/mod.ts";

const NUMBER_KIND = /^(u?int\d+|float\d+)$/;

/** The first counter, else the first gauge, else the first number of a map's values; undefined if there is none. */
export function busiestField(spec: DataSourceSpec): Field | undefined {
  const { values } = metricRoles(spec);
  const isOne = ({ kind, arrayLength }: Field) => arrayLength === 0 && NUMBER_KIND.test(kind);
  const ofType = (wanted: string) =>
    values.find(({ type, field }) => type === wanted && isOne(field))?.field;
  return ofType("counter") ?? ofType("gauge") ??
    spec.fields.find((field) =>
      field.segment === 1 && !field.hidden && isOne(field) &&
      (field.format === undefined || field.format.type === "bytes" ||
        field.format.type === "duration")
    );
}
