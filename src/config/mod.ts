/** Door of the config layer: the file of `kmeter serve` → what is to run. Pure. */

export { Mistakes } from "./mistakes.ts";
export {
  type ConfigKeys,
  type ConfigSetting,
  type GadgetEntry,
  parseServeConfig,
  type ServeConfig,
} from "./serve_config.ts";
