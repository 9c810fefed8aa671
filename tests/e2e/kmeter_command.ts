/** The kmeter under test: this checkout's sources, or the program that `KMETER_BIN` names. */

/** Folder of the checkout, without a slash at the end. */
export const CHECKOUT = decodeURIComponent(new URL("../..", import.meta.url).pathname).replace(
  /\/$/,
  "",
);

/** Program and first arguments of every command line under test. */
export function kmeterCommand(): readonly string[] {
  const binary = Deno.env.get("KMETER_BIN");
  if (binary !== undefined && binary !== "") return [binary];
  return sourceCommand();
}

/** Program and first arguments that run this checkout's sources. */
export function sourceCommand(): readonly string[] {
  return [
    Deno.execPath(),
    "run",
    "--allow-all",
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
