/** `--user NAME`: whose process kmeter is, once everything is loaded and attached. */

import { isRoot } from "../../ffi/mod.ts";
import { missingToLeaveRoot } from "../engine/mod.ts";
import { findAccount, type PasswdEntry } from "../enrich/mod.ts";
import { KernelError, UsageError } from "../errors.ts";
import type { Flag, ParsedFlags } from "./flags.ts";

const PASSWD_FILE = "/etc/passwd";
/** The last id stands for "leave it as it is". */
const MAX_ID = 2 ** 32 - 2;

export const USER_FLAG: Flag = {
  name: "user",
  value: "NAME",
  description: "leave root for this user (name or uid) when all is attached",
};

/**
 * The account that the user chose, if they did. A uid without an account has the group of the same number.
 * @throws UsageError if there is no such user, or if it is root or of its group.
 */
export function userOf(flags: ParsedFlags): PasswdEntry | undefined {
  const text = flags.text("user");
  if (text === undefined) return undefined;
  const account = findAccount(readPasswd(), text) ?? numberedAccount(text);
  if (account === undefined) {
    throw new UsageError(`--user "${text}": there is no such user in ${PASSWD_FILE}`, {
      hint: "give a name that stands there, such as nobody, or the number of a user",
    });
  }
  if (account.uid === 0 || account.gid === 0) {
    const what = account.uid === 0 ? "is root (uid 0)" : "is in the group of root (gid 0)";
    throw new UsageError(`--user "${text}": ${what}, and the flag is there to leave it`, {
      hint: "give a user without rights, such as nobody, or leave --user out",
    });
  }
  return account;
}

function numberedAccount(text: string): PasswdEntry | undefined {
  const id = Number(text);
  return /^\d+$/.test(text) && id <= MAX_ID ? { name: text, uid: id, gid: id } : undefined;
}

/** Containers may be without the file. */
function readPasswd(): string {
  try {
    return Deno.readTextFileSync(PASSWD_FILE);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Before anything is loaded. @throws KernelError if this process cannot become the user. */
export function requireWayTo({ name }: PasswdEntry): void {
  const what = `Cannot become user ${name}`;
  if (!isRoot()) {
    throw new KernelError(`${what}: kmeter does not run as root (uid 0)`, {
      call: "geteuid",
      errno: 1,
      hint:
        "run it with sudo, or start it as that user with CAP_BPF and CAP_PERFMON, without --user",
    });
  }
  const missing = missingToLeaveRoot();
  if (missing.length === 0) return;
  throw new KernelError(`${what}: this process lacks ${missing.join(" and ")}`, {
    call: "capget",
    errno: 1,
    hint: `give it ${missing.join(" and ")}, or leave --user out`,
  });
}
