/** Door of the export layer: names, pages of text, kmeter's own metrics, the HTTP server. */

export { CONNECTION_LIMITS } from "./connections.ts";
export { negotiateFormat } from "./content_negotiation.ts";
export {
  CONTENT_TYPES,
  Exposition,
  type ExpositionFormat,
  type ExpositionOptions,
  type RenderOptions,
  type TextExposition,
} from "./exposition.ts";
export { folderOf, pathIn, stampOf } from "./file_paths.ts";
export { MAX_HEAD_BYTES } from "./http_connection.ts";
export { addressText, type ListenAddress, parseListenAddress } from "./listen_address.ts";
export {
  type MetricsServer,
  type MetricsServerOptions,
  startMetricsServer,
} from "./metrics_server.ts";
export { OwnMetrics, type OwnMetricsOptions, type ScrapeStage } from "./own_metrics.ts";
export {
  type DataSourceStats,
  type GadgetStats,
  type MapStats,
  type OperatorStats,
  type OwnMetricsSnapshot,
  type ProgramStats,
} from "./own_metrics_snapshot.ts";
export { DEFAULT_SCRAPE_LIMITS, type ScrapeLimits } from "./_scrapes.ts";
export {
  DEFAULT_MAX_QUEUE_BYTES,
  type Environment,
  EXPORTER_KEYS,
  type ExporterKey,
  type ExporterOptions,
  type ExporterSetting,
  type ExporterStats,
  makeExporterOptions,
  OtlpPush,
  type OwnMetricValues,
  parseExporterKey,
  PUSH_AT_END_MS,
  type PushSource,
  readHostFacts,
  resourceAttributes,
  settingsFromEnvironment,
  shownUrl,
} from "./otlp/mod.ts";
export { PAGE_WINDOW_BYTES } from "./shared_body.ts";
export { type ProcessStats, readProcessStats } from "./process_stats.ts";
export {
  type LabelColumn,
  type NamedInstrument,
  type PrometheusName,
  translateLabels,
  translateMetricName,
} from "./prometheus_names.ts";
export { type FamilyRegistry, RegistryFamily, type RegistryValues } from "./registry_family.ts";
export {
  type SecureMetricsServerOptions,
  startSecureMetricsServer,
} from "./secure_metrics_server.ts";
export { type StatusDataSource, type StatusDocument, type StatusGadget } from "./status.ts";
export { MAX_STATUS_SERIES, readStatusMetrics } from "./status_metrics.ts";
export { type LandingContent } from "./web_page.ts";
export { WebConfigFile } from "./web_config_file.ts";
