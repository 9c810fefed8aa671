/** Door of the config layer: the file of `kmeter serve` → what is to run. Pure. */

export type { GadgetEntry } from "./gadget_entry.ts";
export { Mistakes } from "./mistakes.ts";
export {
  type ConfigKeys,
  type ConfigSetting,
  parseServeConfig,
  type ServeConfig,
} from "./serve_config.ts";
