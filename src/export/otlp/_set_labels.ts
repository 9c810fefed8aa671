/** Label values of a set's series, for all exporters. */

import type { AttributeValue } from "./_points.ts";
import type { SetDescription, SetSnapshot } from "./messages.ts";

type Attributes = readonly (readonly [name: string, value: AttributeValue])[];

const OVERFLOW: Attributes = [["otel.metric.overflow", true]];

/** Labels of one set. */
export class SetLabels {
  readonly description: SetDescription;
  readonly #attributes: Attributes[] = [];
  /** While it stays the same, no series has got labels. */
  version = 0;

  constructor(description: SetDescription) {
    this.description = description;
  }

  /** Takes the labels that a snapshot brings. */
  learn({ series, labels }: SetSnapshot): void {
    const { labelNames } = this.description;
    if (labels.length > 0) this.version++;
    for (const [position, values] of labels) {
      this.#attributes[series[position]] = values.map((value, index) => [labelNames[index], value]);
    }
  }

  /** Attributes of the series at a position. */
  attributesOf({ series, overflowPosition }: SetSnapshot, position: number): Attributes {
    if (position === overflowPosition) return OVERFLOW;
    const known = this.#attributes[series[position]];
    if (known === undefined) throw new Error(`BUG: series ${series[position]} without labels`);
    return known;
  }
}
