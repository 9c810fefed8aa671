/** All fuzzers, by name. */

import type { FuzzTarget } from "../target.ts";

/** Loaded one by one: each reads its seeds when it is imported. */
const LOADERS: Readonly<Record<string, () => Promise<FuzzTarget>>> = {
  object: () => import("./object.ts").then((module) => module.objectTarget),
  btf: () => import("./btf.ts").then((module) => module.btfTarget),
  metadata: () => import("./texts.ts").then((module) => module.metadataTarget),
  annotate: () => import("./texts.ts").then((module) => module.annotateTarget),
  filter: () => import("./texts.ts").then((module) => module.filterTarget),
  page: () => import("./page.ts").then((module) => module.pageTarget),
  http: () => import("./http.ts").then((module) => module.httpTarget),
  records: () => import("./records.ts").then((module) => module.recordsTarget),
};

export const TARGET_NAMES: readonly string[] = Object.keys(LOADERS);

/** Loads a fuzzer by its name, one of `TARGET_NAMES`. */
export function loadTarget(name: string): Promise<FuzzTarget> {
  return LOADERS[name]();
}
