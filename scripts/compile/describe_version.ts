/** What git tells of a checkout: the version of kmeter in it, and its time. */

import { exists } from "./exists.ts";
import { runCommand } from "./run_command.ts";

/** Which kmeter a checkout holds. */
export interface Version {
  readonly text: string;
  /** Why it may not be the version that others give this commit. */
  readonly doubt?: string;
}

/**
 * `git describe`, without the tag's `v`. Where there is no tag it is a development version of the release that
 * deno.json names, with the number of commits; where there is no repository, that release and `-nogit`.
 */
export async function describeVersion(checkout: string): Promise<Version> {
  const { version } = JSON.parse(await Deno.readTextFile(`${checkout}/deno.json`));
  if (!isRepository(checkout)) {
    return {
      text: `${version}-nogit`,
      doubt: `${checkout} is no clone of the repository, so its commit is unknown`,
    };
  }
  const described = await git(
    checkout,
    ...["describe", "--tags", "--match=v[0-9]*", "--always", "--dirty", "--abbrev=12"],
  );
  if (described.startsWith("v")) return { text: described.slice(1) };
  const count = await git(checkout, "rev-list", "--count", "HEAD");
  const text = `${version}-dev.${count}-g${described}`;
  if (await git(checkout, "rev-parse", "--is-shallow-repository") === "false") return { text };
  return {
    text,
    doubt: "this clone is shallow and shows no tag: git fetch --unshallow --tags gets them",
  };
}

/**
 * The time of the sources. Unit: seconds since 1970. Throws: Error if neither tells one.
 *
 * @param variable the value of SOURCE_DATE_EPOCH; if it is absent or empty, the last commit's time is taken.
 */
export async function sourceTime(
  checkout: string,
  variable: string | undefined,
): Promise<number> {
  if (variable !== undefined && variable !== "") {
    if (!/^\d{1,10}$/.test(variable)) {
      throw new Error(`SOURCE_DATE_EPOCH is "${variable}", wanted seconds since 1970`);
    }
    return Number(variable);
  }
  if (!isRepository(checkout)) {
    throw new Error(`${checkout} has no commit to tell a time: set SOURCE_DATE_EPOCH`);
  }
  return Number(await git(checkout, "log", "-1", "--format=%ct"));
}

function isRepository(checkout: string): boolean {
  // A folder in a clone, a file in a worktree. A repository around an unpacked archive is another's.
  return exists(`${checkout}/.git`);
}

async function git(checkout: string, ...args: readonly string[]): Promise<string> {
  // Who builds as root in somebody's clone runs that person's scripts already.
  const trust = `safe.directory=${checkout}`;
  return (await runCommand(["git", "-c", trust, "-C", checkout, ...args])).trim();
}
