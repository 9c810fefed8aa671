/** The parsed form of a gadget: what the object's markers and `gadget.yaml` say, merged and checked. */

import type { Enumerator, Field } from "../decode/mod.ts";

/** String annotations of a data source or field, keys in lower case as in `ig`. */
export type Annotations = Readonly<Record<string, string>>;

/** Where a data source's records come from. */
export type DataSourceOrigin =
  /** `GADGET_TRACER`: a ring buffer or perf event array. */
  | { readonly kind: "tracer"; readonly map: string; readonly struct: string }
  /** `GADGET_ITER`: union of the outputs of iterator programs. */
  | { readonly kind: "iter"; readonly struct: string; readonly programs: readonly string[] }
  /** `GADGET_MAPITER`: the entries of a map. */
  | { readonly kind: "mapiter"; readonly map: string };

/** One data source with its fields: the unit of collection and display. */
export interface DataSourceSpec {
  readonly name: string;
  readonly origin: DataSourceOrigin;
  readonly annotations: Annotations;
  readonly tags: readonly string[];
  /** In the order of the C members; text fields follow their raw field. */
  readonly fields: readonly Field[];
  /** Size in bytes of segment 0 (event or key). */
  readonly recordSizeBytes: number;
  /** Size in bytes of segment 1 (map value); 0 for events. */
  readonly valueSizeBytes: number;
}

/** A gadget parameter: a `const volatile` variable of the object that is set before loading. */
export interface ParamSpec {
  /** C variable. */
  readonly variable: string;
  /** Flag name without dashes. */
  readonly key: string;
  readonly description: string;
  /** Text form of the default, "" if none. */
  readonly defaultValue: string;
  readonly kind: Field["kind"];
  /** Size in bytes of the variable. */
  readonly sizeBytes: number;
  /** Present if the variable is an enum: the names that it takes besides numbers. */
  readonly enumerators?: readonly Enumerator[];
  /** Present if the variable is a `struct gadget_l3endpoint_t`: an IP address. */
  readonly format?: "ip_addr";
}

/** One gadget, ready for the engine. */
export interface GadgetSpec {
  /** Short name, for example `trace_exec`. */
  readonly name: string;
  readonly description: string;
  readonly dataSources: readonly DataSourceSpec[];
  readonly params: readonly ParamSpec[];
  /** `programs.<name>.attach_to` and `perf` settings of gadget.yaml. */
  readonly programs: Readonly<Record<string, ProgramSettings>>;
  /**
   * `paramDefaults` of gadget.yaml that are for no parameter of the gadget, by the part after the
   * last dot in lower case: defaults of flags such as `map-fetch-interval`.
   */
  readonly flagDefaults?: Readonly<Record<string, string>>;
}

/** Per-program settings of gadget.yaml. */
export interface ProgramSettings {
  /** Replaces the target of the section; `gadget_program_disabled` leaves the program out. */
  readonly attachTo?: string;
  /** Sampling frequency in Hz of a `perf_event/` program. */
  readonly sampleFrequencyHz?: number;
}
