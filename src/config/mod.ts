/** Door of the config layer: the file of `kmeter serve` → what is to run. Pure. */

export {
  type ConfigSetting,
  type GadgetEntry,
  parseServeConfig,
  type ServeConfig,
} from "./serve_config.ts";
