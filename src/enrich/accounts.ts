/** Accounts of a file in the format of /etc/passwd. */

export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The first account of a name, or of a number in decimal; a name goes before a number. */
export function findAccount(text: string, nameOrUid: string): PasswdEntry | undefined {
  const accounts = parsePasswd(text);
  return accounts.find(({ name }) => name === nameOrUid) ??
    accounts.find(({ uid }) => String(uid) === nameOrUid);
}

/** Lines that are no accounts are passed over. */
function parsePasswd(text: string): PasswdEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name, , uid, gid] = line.split(":");
    if (!name || !isId(uid) || !isId(gid)) return [];
    return [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

function isId(text: string | undefined): boolean {
  return text !== undefined && /^\d+$/.test(text);
}
