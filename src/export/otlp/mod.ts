/** OTLP push: configuration and the main thread's side. The rest is loaded by the thread that pushes. */

export { settingsFromEnvironment } from "./environment.ts";
export type { Environment } from "./environment.ts";
export {
  DEFAULT_MAX_QUEUE_BYTES,
  EXPORTER_KEYS,
  type ExporterKey,
  type ExporterOptions,
  makeExporterOptions,
  parseExporterKey,
  shownUrl,
} from "./exporter_options.ts";
export type { ExporterSetting } from "./exporter_setting.ts";
export type { OwnMetricValues } from "./messages.ts";
export { type ExporterStats, OtlpPush, PUSH_AT_END_MS, type PushSource } from "./otlp_push.ts";
export { readHostFacts, resourceAttributes } from "./resource.ts";
