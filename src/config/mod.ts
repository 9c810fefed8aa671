/** Door of the config layer: the file of `kmeter serve` → what is to run. Pure. */

export type { OperatorEntry } from "./operator_entry.ts";
export { type ConfigSetting, type ExporterEntry, NO_EXPORTER } from "./exporter_entry.ts";
export { type GadgetEntry, isGadgetName, NAME_RULE } from "./gadget_entry.ts";
export { Mistakes } from "./mistakes.ts";
export { type ConfigKeys, parseServeConfig, type ServeConfig } from "./serve_config.ts";
