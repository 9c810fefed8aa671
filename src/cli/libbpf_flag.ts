/** `--libbpf PATH` and KMETER_LIBBPF: another libbpf than the one that kmeter would take. */

import { libbpfVersion, useLibbpf } from "../../ffi/mod.ts";
import { UnsupportedError, UsageError } from "../errors.ts";
import type { Flag, ParsedFlags } from "./flags.ts";

/** Environment variable that stands for the flag; the flag goes before it, empty is unset. */
export const LIBBPF_VARIABLE = "KMETER_LIBBPF";

export const LIBBPF_FLAG: Flag = {
  name: "libbpf",
  value: "PATH",
  description: `libbpf.so.1 to use instead of kmeter's or the system's; or set ${LIBBPF_VARIABLE}`,
};

/**
 * Makes this process use the libbpf that the user chose, if they did. Call it before libbpf is used.
 *
 * @throws UsageError if there is no such file or it is no libbpf; UnsupportedError if it cannot be opened.
 */
export function chooseLibbpf(flags: ParsedFlags): void {
  const fromFlag = flags.text("libbpf");
  const path = fromFlag ?? Deno.env.get(LIBBPF_VARIABLE) ?? "";
  if (path === "") return;
  const source = fromFlag === undefined ? LIBBPF_VARIABLE : "--libbpf";
  useLibbpf(absolutePath(path, source));
  try {
    // Opened at once: a command that needs it late, or never, would hide the mistake.
    libbpfVersion();
  } catch (cause) {
    if (!(cause instanceof UnsupportedError) || !cause.message.includes("has no function")) {
      throw cause;
    }
    throw new UsageError(`${source} "${path}" is not libbpf 1.0 or newer: ${cause.message}`, {
      hint: "give the path of a libbpf.so.1; ldconfig -p shows the system's",
      cause,
    });
  }
}

/** The loader would look for a name without a slash in the system's folders. */
function absolutePath(path: string, source: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw error;
    }
  }
  throw new UsageError(`${source} "${path}": there is no such file`, {
    hint: "give the path of a libbpf.so.1; ldconfig -p shows the system's",
  });
}
