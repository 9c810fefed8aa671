/** File modes (`st_mode`) and open flags as text. */

import type { Architecture } from "./syscall_names.ts";

/** By the `S_IFMT` bits; a mode without type bits (an argument of `open`) shows as a plain file. */
const TYPE_LETTERS: Readonly<Record<number, string>> = {
  0o000000: "-",
  0o010000: "p",
  0o020000: "c",
  0o040000: "d",
  0o060000: "b",
  0o100000: "-",
  0o120000: "l",
  0o140000: "s",
};

const SET_UID = 0o4000;
const SET_GID = 0o2000;
const STICKY = 0o1000;

/** A mode as `ls -l` shows it, for example `-rw-r--r--`; `?` stands for an unknown type. */
export function fileModeText(mode: number): string {
  return (TYPE_LETTERS[mode & 0o170000] ?? "?") +
    permissionTriple((mode >> 6) & 7, (mode & SET_UID) !== 0 ? "s" : "") +
    permissionTriple((mode >> 3) & 7, (mode & SET_GID) !== 0 ? "s" : "") +
    permissionTriple(mode & 7, (mode & STICKY) !== 0 ? "t" : "");
}

/** `special` is the letter in place of `x`; it is upper case if nobody may execute. */
function permissionTriple(bits: number, special: string): string {
  const canExecute = (bits & 1) !== 0;
  const plain = canExecute ? "x" : "-";
  const last = special === "" ? plain : canExecute ? special : special.toUpperCase();
  return ((bits & 4) !== 0 ? "r" : "-") + ((bits & 2) !== 0 ? "w" : "-") + last;
}

const ACCESS_MODES = ["O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"] as const;

type Flag = readonly [name: string, bits: number];

/** In the order of display. Flags that contain others' bits come first. */
function flagTable(architecture: Architecture): readonly Flag[] {
  const isX86 = architecture === "x86_64";
  const directory = isX86 ? 0o200000 : 0o40000;
  return [
    ["O_TMPFILE", 0o20000000 | directory],
    ["O_SYNC", 0o4010000],
    ["O_CREAT", 0o100],
    ["O_EXCL", 0o200],
    ["O_NOCTTY", 0o400],
    ["O_TRUNC", 0o1000],
    ["O_APPEND", 0o2000],
    ["O_NONBLOCK", 0o4000],
    ["O_DSYNC", 0o10000],
    ["O_ASYNC", 0o20000],
    ["O_DIRECT", isX86 ? 0o40000 : 0o200000],
    ["O_LARGEFILE", isX86 ? 0o100000 : 0o400000],
    ["O_DIRECTORY", directory],
    ["O_NOFOLLOW", isX86 ? 0o400000 : 0o100000],
    ["O_NOATIME", 0o1000000],
    ["O_CLOEXEC", 0o2000000],
    ["O_PATH", 0o10000000],
  ];
}

/** Open flags as `O_RDONLY|O_CREAT`; bits without a name follow as hex. */
export function createFileFlagsText(architecture: Architecture): (flags: number) => string {
  const table = flagTable(architecture);
  return (flags) => {
    const names: string[] = [ACCESS_MODES[flags & 3]];
    let rest = (flags & ~3) >>> 0;
    for (const [name, bits] of table) {
      if ((rest & bits) >>> 0 !== bits) continue;
      names.push(name);
      rest = (rest & ~bits) >>> 0;
    }
    if (rest !== 0) names.push(`0x${rest.toString(16)}`);
    return names.join("|");
  };
}
