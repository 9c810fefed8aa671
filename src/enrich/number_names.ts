/** Which names a number may have. */

import type { TextFormat } from "../decode/mod.ts";
import { errnoNames } from "./errno_names.ts";
import { signalNames } from "./signal_names.ts";
import { type Architecture, syscallNames } from "./syscall_names.ts";

/**
 * Every name that the text of a format may be; undefined where there is no list of them. A number
 * without a name has a text that ends with it, as `error#4000` and `SYS_999`. Cost: builds the list.
 */
export function numberNames(
  format: TextFormat,
  architecture: Architecture,
): readonly string[] | undefined {
  switch (format.type) {
    case "errno":
      return errnoNames();
    case "signal":
      return signalNames();
    case "syscall":
      return [...syscallNames(architecture).values()];
    default:
      return undefined;
  }
}
