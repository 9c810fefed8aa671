/** The one option that the commands of the bench share. */

/** What `--seconds N` says, else `usual`. @throws Error if it is no positive number. */
export function secondsOption(usual: number): number {
  const at = Deno.args.indexOf("--seconds");
  if (at < 0) return usual;
  const seconds = Number(Deno.args[at + 1]);
  if (!(seconds > 0)) throw new Error("--seconds needs a positive number");
  return seconds;
}
