/** A metric family: all instruments, of any data source, that have one name in Prometheus. */

import type { Instrument, InstrumentType, MetricSet } from "../metrics/mod.ts";
import { type ByteRun, byteRun } from "./_byte_writer.ts";
import { familyHeader } from "./_protobuf_family.ts";
import { boundText, type TextExposition } from "./_number_text.ts";
import type { PrometheusName } from "./prometheus_names.ts";

/** Ready labels of a set's series. */
export interface SeriesLabels {
  /** Labels of a live series in this generation; `undefined` if it is none any more, or one of `settle`. */
  at(series: number, generation: number): ByteRun | undefined;
  /** Names and unescaped values. */
  labelsOf(series: number): [name: string, value: string][];
  /** Label sets ever made. */
  readonly builtCount: number;
  /** Adds up series with equal labels, as they are now. */
  settle(): (MetricSet & SeriesLabels & Pick<SetEntry, "protobufLabels">) | undefined;
}

/** A metric set as the exposition holds it. */
export interface SetEntry {
  readonly set: MetricSet;
  readonly labels: SeriesLabels;
  /** The same labels in the other form; which series stand for themselves, `labels` knows. */
  readonly protobufLabels: Pick<SeriesLabels, "at" | "builtCount">;
  /** Renders under way skip the set from here on: its columns may be gone. */
  readonly removed: boolean;
  /** Series with equal labels, as they were settled last. */
  merged?: SetEntry;
}

/** Adds up an entry's series with equal labels anew. */
export function settle(entry: SetEntry): void {
  const merged = entry.labels.settle();
  entry.merged = merged && {
    set: merged,
    labels: merged,
    protobufLabels: merged.protobufLabels,
    get removed() {
      return entry.removed;
    },
  };
}

/** Each member, and behind it what is added up of its series. */
export function withMerged(members: readonly FamilyMember[]): FamilyMember[] {
  return members.flatMap((member) => {
    const { instrument, entry: { set, merged } } = member;
    if (merged === undefined) return [member];
    const index = set.instruments.indexOf(instrument);
    return [member, { entry: merged, instrument: merged.set.instruments[index] }];
  });
}

/** One instrument of one set, within its family. */
export interface FamilyMember {
  readonly entry: SetEntry;
  readonly instrument: Instrument;
}

/** Ready parts of a family's sample lines. */
export interface SampleNames {
  readonly plain: ByteRun;
  readonly bucket: ByteRun;
  readonly sum: ByteRun;
  readonly count: ByteRun;
  readonly created: ByteRun;
}

/** One family and the instruments that feed it. */
export class Family {
  readonly name: string;
  readonly type: InstrumentType;
  readonly unit: string;
  readonly members: FamilyMember[] = [];
  readonly names: SampleNames;
  #bounds: Float64Array | undefined;
  #boundRuns: Readonly<Record<TextExposition, readonly ByteRun[]>> = { text: [], openmetrics: [] };

  constructor({ name, unit }: PrometheusName, type: InstrumentType) {
    this.name = name;
    this.unit = unit;
    this.type = type;
    this.names = {
      plain: byteRun(name),
      bucket: byteRun(`${name}_bucket`),
      sum: byteRun(`${name}_sum`),
      count: byteRun(`${name}_count`),
      created: byteRun(`${openMetricsName({ name, type })}_created`),
    };
  }

  /** The first description that is not empty: HELP belongs to the family, not to its members. */
  get help(): string {
    return this.members.find((member) => member.instrument.description !== "")?.instrument
      .description ?? "";
  }

  /** Metadata lines. `openMetricsNameTaken` says that another family is called `x` where this is `x_total`. */
  header(format: TextExposition, options: { openMetricsNameTaken: boolean }): string {
    const help = this.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
    if (format === "text") {
      const helpLine = help === "" ? "" : `# HELP ${this.name} ${help}\n`;
      return `${helpLine}# TYPE ${this.name} ${this.type}\n`;
    }
    const asUnknown = this.type === "counter" && options.openMetricsNameTaken;
    const name = asUnknown ? this.name : openMetricsName(this);
    const type = asUnknown ? "unknown" : this.type;
    const unit = this.unit !== "" && name.endsWith(`_${this.unit}`)
      ? `# UNIT ${name} ${this.unit}\n`
      : "";
    const helpLine = help === "" ? "" : `# HELP ${name} ${help.replaceAll('"', '\\"')}\n`;
    return `# TYPE ${name} ${type}\n${unit}${helpLine}`;
  }

  /** Name, help, type and unit as fields of a protobuf MetricFamily. */
  protobufHeader(): Uint8Array {
    const { name, help, type } = this;
    const unit = openMetricsName(this).endsWith(`_${this.unit}`) ? this.unit : "";
    return familyHeader({ name, help, type, unit });
  }

  /** The end of each bucket's labels, `,le="…"} `, +Inf last. */
  boundRuns(bounds: Float64Array, format: TextExposition): readonly ByteRun[] {
    if (bounds !== this.#bounds) {
      this.#bounds = bounds;
      const runs = (format: TextExposition) =>
        [...bounds, Infinity].map((bound) => byteRun(`,le="${boundText(bound, format)}"} `));
      this.#boundRuns = { text: runs("text"), openmetrics: runs("openmetrics") };
    }
    return this.#boundRuns[format];
  }
}

/** The name of a family in OpenMetrics: a counter's `_total` belongs to the sample only. */
export function openMetricsName(family: { name: string; type: string }): string {
  return family.type === "counter" ? family.name.replace(/_total$/, "") : family.name;
}
