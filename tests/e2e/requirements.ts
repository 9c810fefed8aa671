/** What a test needs of the machine. */

import { missingForBoot } from "./booted_system.ts";

/** `root`, `boot` if a system has to be booted, or a file that must be there. */
export type Requirement = "root" | "boot" | `/${string}`;

/** Why a test cannot run here; undefined if it can. */
export function missingRequirement(requires: readonly Requirement[]): string | undefined {
  for (const requirement of requires) {
    if (requirement === "root") {
      if (Deno.uid() !== 0) return "needs root";
    } else if (requirement === "boot") {
      const reason = missingForBoot();
      if (reason !== undefined) return reason;
    } else if (!exists(requirement)) {
      return `needs ${requirement}`;
    }
  }
  return undefined;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
