/** A data source while operators say what they want of it. */

import {
  type Field,
  type FieldFormatter,
  type FieldValue,
  type FilterTerm,
  readField,
  type RecordBytes,
  valueToText,
} from "../decode/mod.ts";
import { type DataSourceSpec, hasMetrics, metricRoles } from "../gadget/mod.ts";
import { createRowObject, type JsonObject } from "../view/mod.ts";
import type { LocalDataSource, ReadSchedule, Subscriber } from "./operator.ts";

/** What is known of a data source of which rows are taken already. */
export interface KnownSource {
  readonly formatters: ReadonlyMap<Field, FieldFormatter>;
  readonly filter: readonly FilterTerm[];
  readonly isCollected: boolean;
}

/** True if its author, or the user, wants no metrics of it. */
export function refusesMetrics({ annotations }: LocalDataSource): boolean {
  return annotations["metrics.collect"] === "false";
}

/** Remembers the wishes. */
export class PlannedSource implements LocalDataSource {
  readonly spec: DataSourceSpec;
  readonly schedule: ReadSchedule;
  readonly #known: KnownSource | undefined;
  readonly #formatters: Map<Field, FieldFormatter>;
  readonly #filter: FilterTerm[];
  readonly #subscribers: Subscriber[] = [];
  readonly #byName: ReadonlyMap<string, Field>;
  #isCollected = false;
  #toObject: ((record: RecordBytes) => JsonObject) | undefined;

  constructor(
    spec: DataSourceSpec,
    { schedule, known }: { readonly schedule: ReadSchedule; readonly known?: KnownSource },
  ) {
    this.spec = spec;
    this.schedule = schedule;
    this.#known = known;
    this.#formatters = new Map(known?.formatters);
    this.#filter = [...known?.filter ?? []];
    this.#byName = new Map(spec.fields.map((field) => [field.name, field]));
  }

  get name(): string {
    return this.spec.name;
  }

  get kind(): DataSourceSpec["origin"]["kind"] {
    return this.spec.origin.kind;
  }

  get annotations(): DataSourceSpec["annotations"] {
    return this.spec.annotations;
  }

  get fields(): readonly Field[] {
    return this.spec.fields;
  }

  get formatters(): ReadonlyMap<Field, FieldFormatter> {
    return this.#formatters;
  }

  get filter(): readonly FilterTerm[] {
    return this.#filter;
  }

  get subscribers(): readonly Subscriber[] {
    return this.#subscribers;
  }

  get isCollected(): boolean {
    return this.#isCollected;
  }

  value(field: string, record: RecordBytes): FieldValue {
    return readField(this.#field(field), record);
  }

  text(name: string, record: RecordBytes): string {
    const field = this.#field(name);
    const formatter = this.#formatters.get(field);
    return formatter?.(record) ?? valueToText(readField(field, record), field.kind);
  }

  #field(name: string): Field {
    const field = this.#byName.get(name);
    if (field !== undefined) return field;
    throw new RangeError(
      `data source ${this.name} has no field "${name}": ${[...this.#byName.keys()].join(", ")}`,
    );
  }

  toObject(record: RecordBytes): JsonObject {
    this.#toObject ??= createRowObject({ fields: this.fields, formatters: this.#formatters });
    return this.#toObject(record);
  }

  subscribe(subscriber: Subscriber): void {
    this.#subscribers.push(subscriber);
  }

  setText(field: Field, formatter: FieldFormatter): void {
    this.#formatters.set(field, formatter);
  }

  addFilter(terms: readonly FilterTerm[]): void {
    this.#filter.push(...terms);
  }

  collect(): boolean {
    return this.#isCollected = this.#known?.isCollected ?? hasMetrics(metricRoles(this.spec));
  }
}
