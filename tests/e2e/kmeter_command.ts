/** The kmeter under test: this checkout's sources, or the program that `KMETER_BIN` names. */

import { permissionsOf } from "../../scripts/permissions.ts";

/** Folder of the checkout, without a slash at the end. */
export const CHECKOUT = decodeURIComponent(new URL("../..", import.meta.url).pathname).replace(
  /\/$/,
  "",
);

/** Program and first arguments of a command line under test, which goes on with `command`. */
export function kmeterCommand(command?: string): readonly string[] {
  const binary = Deno.env.get("KMETER_BIN");
  if (binary !== undefined && binary !== "") return [binary];
  return sourceCommand(command);
}

/** Program and first arguments that run this checkout's sources as scripts/kmeter does: `command` comes next. */
export function sourceCommand(command?: string): readonly string[] {
  return [
    Deno.execPath(),
    "run",
    ...permissionsOf(command),
    "--no-prompt",
    "--quiet",
    "--frozen",
    "--config",
    `${CHECKOUT}/deno.json`,
    `${CHECKOUT}/main.ts`,
  ];
}

/** The packed program. */
export function packedProgram(): `/${string}` {
  return (Deno.env.get("KMETER_BIN") || `${CHECKOUT}/dist/kmeter`) as `/${string}`;
}
