/** User and group names from files in the format of /etc/passwd. */

/** How a file is watched and read; the engine gives the real one, tests their own. */
export interface FileAccess {
  /** Time of the last change in ms, `undefined` if the file cannot be seen. */
  modifiedMs(path: string): number | undefined;
  /** Whole text, `undefined` if the file cannot be read. */
  readText(path: string): string | undefined;
}

export interface AccountNamesOptions {
  readonly path: string;
  readonly files: FileAccess;
  /** Monotonic time in ms. */
  readonly nowMs: () => number;
}

const CHECK_INTERVAL_MS = 1000;

/** Id → name. Lines that are not `name:password:id…` are passed over; the first of an id wins. */
export function parseAccounts(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split("\n")) {
    const [name, , id] = line.split(":");
    if (id === undefined || name === "" || !/^\d+$/.test(id)) continue;
    const number = Number(id);
    if (!names.has(number)) names.set(number, name);
  }
  return names;
}

/**
 * Function from an id to its name, `undefined` if it has none.
 *
 * The file is looked at again at most once a second, and read again if it has changed. While it
 * cannot be read, the last names stay.
 */
export function createAccountNames(
  { path, files, nowMs }: AccountNamesOptions,
): (id: number) => string | undefined {
  let names = new Map<number, string>();
  let readModifiedMs: number | undefined;
  let nextCheckMs = -Infinity;
  const refresh = (): void => {
    const modifiedMs = files.modifiedMs(path);
    if (modifiedMs === undefined || modifiedMs === readModifiedMs) return;
    const text = files.readText(path);
    if (text === undefined) return;
    readModifiedMs = modifiedMs;
    names = parseAccounts(text);
  };
  return (id) => {
    const now = nowMs();
    if (now >= nextCheckMs) {
      nextCheckMs = now + CHECK_INTERVAL_MS;
      refresh();
    }
    return names.get(id);
  };
}
