/** Names that cannot stand on one page together, found before anything is served. */

import { UsageError } from "../errors.ts";
import type { Instrument, MetricSet } from "../metrics/mod.ts";
import { type Family, openMetricsName } from "./_family.ts";
import { OWN_METRIC_NAMES } from "./own_metric_names.ts";
import type { PrometheusName } from "./prometheus_names.ts";

/** An instrument of a set that wants to be exported, with its translated name. */
export interface Candidate {
  readonly instrument: Instrument;
  readonly translated: PrometheusName;
}

interface Claim {
  readonly name: string;
  readonly type: string;
  readonly scope: string;
  readonly instrument: string;
}

/** Throws `UsageError`, naming both sides, if a candidate clashes with another, a family or kmeter's own. */
export function refuseClashes(
  set: MetricSet,
  { candidates, families }: { candidates: readonly Candidate[]; families: Iterable<Family> },
): void {
  const claims: Claim[] = [];
  for (const family of families) {
    for (const { entry, instrument } of family.members) {
      claims.push(claimOf(entry.set, instrument, family.name));
    }
  }
  for (const { instrument, translated } of candidates) {
    const claim = claimOf(set, instrument, translated.name);
    refuseOwnName(claim);
    for (const other of claims) refusePair(claim, other);
    claims.push(claim);
  }
}

function claimOf(set: MetricSet, instrument: Instrument, name: string): Claim {
  return { name, type: instrument.type, scope: set.scope, instrument: instrument.name };
}

function refuseOwnName(claim: Claim): void {
  const isOwn = claim.name.startsWith("kmeter_") || OWN_METRIC_NAMES.has(claim.name) ||
    OWN_METRIC_NAMES.has(openMetricsName(claim));
  if (isOwn) throw clash(claim, `"${claim.name}" is kept for kmeter's own metrics`);
}

function refusePair(claim: Claim, other: Claim): void {
  if (claim.name === other.name) {
    if (claim.type !== other.type) {
      throw clash(claim, `${describe(other)} has the same name with type ${other.type}`);
    }
    if (claim.scope === other.scope) throw clash(claim, `${describe(other)} has the same name`);
    return;
  }
  const shared = sampleNames(claim).find((name) => sampleNames(other).includes(name));
  if (shared === undefined) return;
  throw clash(
    claim,
    `"${shared}" belongs to the ${other.type} "${other.name}" of ${describe(other)}`,
  );
}

/** Names a family's lines begin with, its own name included. */
function sampleNames({ name, type }: Claim): string[] {
  return type === "histogram" ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}

function describe(claim: Claim): string {
  return `metric "${claim.instrument}" of "${claim.scope}"`;
}

function clash(claim: Claim, reason: string): UsageError {
  return new UsageError(
    `Cannot export ${describe(claim)} as ${claim.type} "${claim.name}": ${reason}`,
    {
      hint: "give one of them another metrics.name, or set --otel-metrics-name for its data source",
    },
  );
}
