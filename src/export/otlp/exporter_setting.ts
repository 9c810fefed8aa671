/** Settings of an exporter as they were written, wherever that was. */

export const OTLP_PROTOCOLS = ["http/protobuf", "http/json", "grpc"] as const;
export type OtlpProtocol = typeof OTLP_PROTOCOLS[number];

/** One value as it was written, and where. */
export interface ExporterSetting {
  readonly value: string;
  /** For errors: a flag, a variable, a place in a file. */
  readonly source: string;
  /**
   * What a path of the endpoint means: the requests' own (`exact`), or the one that `/v1/metrics` is put
   * behind (`base`). Absent: as `exact`, and `/v1/metrics` if there is none.
   */
  readonly path?: "exact" | "base";
}
