/** Paths of files that are read again when they change. */

/** Folder of a file, with its slash; "" for the working directory. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** A path that is relative to a folder: what {@linkcode folderOf} returns. */
export function pathIn(folder: string, path: string): string {
  return path.startsWith("/") ? path : folder + path;
}

/** Tells one state of a file from another. Throws: NotCapable. */
export function stampOf(path: string): string {
  try {
    const { mtime, ctime, ino, size } = Deno.statSync(path);
    return [mtime?.getTime(), ctime?.getTime(), ino, size].join(" ");
  } catch (error) {
    return `none: ${codeOf(error)}`;
  }
}

/** Name of the errno of what Deno threw. Throws: NotCapable, which has none. */
export function codeOf(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) throw error;
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "EIO";
}
