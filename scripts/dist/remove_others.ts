/** What earlier releases left in dist/. */

/** Files that have a version in their names. */
const VERSIONED = [
  /^kmeter-\d.*-linux-\w+\.tar\.zst$/,
  /^kmeter_\d.*\.deb$/,
  /^vmlinux-\d.*\.h\.zst$/,
];

/** Removes the files of other versions from a folder, and nothing else. @param names the files of this version. */
export async function removeOtherVersions(folder: string, names: readonly string[]): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && !names.includes(name) && VERSIONED.some((pattern) => pattern.test(name))) {
      await Deno.remove(`${folder}/${name}`);
    }
  }
}
