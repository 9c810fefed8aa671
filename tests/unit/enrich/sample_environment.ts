/** An environment whose clocks and files tests control. */

import type { EnrichEnvironment } from "../../../src/enrich/mod.ts";

export const SAMPLE_FILES: Readonly<Record<string, string>> = {
  "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n",
  "/etc/group": "root:x:0:\nstaff:x:50:ann\n",
};

export function sampleEnvironment(changed: Partial<EnrichEnvironment> = {}): EnrichEnvironment {
  return {
    architecture: "x86_64",
    files: {
      modifiedMs: (path) => path in SAMPLE_FILES ? 1 : undefined,
      readText: (path) => SAMPLE_FILES[path],
    },
    // Booted 10 s before 2006-01-02T15:04:05Z.
    readClocks: () => ({ bootNs: 10_000_000_000n, wallNs: 1_136_214_245_000_000_000n }),
    nowMs: () => 0,
    zoneMinutesAt: () => 60,
    ...changed,
  };
}
