/** Runs gadgets: the only layer that composes the others. */

export { checkRunOptions } from "./check_options.ts";
export {
  builtinNames,
  type GadgetFiles,
  METADATA_NAME,
  OBJECT_NAME,
  readGadgetFiles,
  SOURCE_NAME,
} from "./gadget_files.ts";
export { CATCH_UP_MS, STOP_MS } from "./ingest_thread.ts";
export { MAX_REFUSALS } from "./load_object.ts";
export { type ParsedGadget, parseGadget } from "./parse_gadget.ts";
export {
  type Capability,
  CAPABILITY_USES,
  loadingPrivilege,
  missingCapabilities,
  missingToLeaveRoot,
} from "./privileges.ts";
export { Fleet, type FleetObserver, type Instance, type InstanceRequest } from "./fleet.ts";
export type { FetchSchedule, Formatters, RunOptions } from "./run_options.ts";
export { type Finding, probeGadgets, probeHost } from "./probe_features.ts";
export { RunningGadget } from "./running_gadget.ts";
