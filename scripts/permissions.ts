/** The permissions that kmeter runs with: the file `permissions` beside this. */

/** One line of the file. */
export interface Grant {
  /** First argument of kmeter, or `any`. */
  readonly command: string;
  /** Flag of `deno run`. */
  readonly flag: string;
}

/** All lines, in their order. */
export function readGrants(): readonly Grant[] {
  const text = Deno.readTextFileSync(new URL("./permissions", import.meta.url));
  return text.split("\n").filter((line) => /^[^#]/.test(line)).map((line) => {
    const [command, flag] = line.split(" ");
    return { command, flag };
  });
}

/** Flags of `deno run` for a command line that begins with `command`; undefined: for every one. */
export function permissionsOf(command?: string): string[] {
  return readGrants().filter((grant) => grant.command === "any" || grant.command === command)
    .map(({ flag }) => flag);
}
