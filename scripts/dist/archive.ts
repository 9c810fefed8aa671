/** The archive of a release: what a machine needs to run kmeter, or to install it. */

import { runCommand } from "../compile/run_command.ts";
import { formatChecksums } from "./checksums.ts";
import { COMPLETIONS, MAN_PAGE, SBOM } from "./names.ts";

/** What is packed, by its path in the archive; SHA256SUMS of all that is added. */
export type ArchiveFiles = ReadonlyMap<string, ArchiveFile>;

interface ArchiveFile {
  readonly path: string;
  readonly isProgram?: boolean;
}

/** What is released, less the archive itself. */
export function archiveFiles(
  { checkout, dist }: { readonly checkout: string; readonly dist: string },
): ArchiveFiles {
  const packaging = `${checkout}/scripts/packaging`;
  const from = (folder: string, names: readonly string[]) =>
    names.map((name) => [name, { path: `${folder}/${name}` }] as const);
  return new Map<string, ArchiveFile>([
    ["kmeter", { path: `${dist}/kmeter`, isProgram: true }],
    ["install", { path: `${checkout}/scripts/install`, isProgram: true }],
    ...from(dist, [SBOM, MAN_PAGE]),
    ...COMPLETIONS.map((name) => [`completions/${name}`, { path: `${dist}/${name}` }] as const),
    ...from(packaging, ["kmeter.service", "kmeter.default", "prometheus.yml"]),
    ...from(packaging, ["Dockerfile", "kubernetes.yaml"]),
    ["README.md", { path: `${packaging}/README.archive.md` }],
    ["operators.md", { path: `${checkout}/docs/operators.md` }],
    ...from(checkout, ["LICENSE"]),
  ]);
}

/**
 * Writes a `.tar.zst` in which everything lies in one folder. Equal files, name and time give equal bytes,
 * whoever owns them and whatever their modes are.
 *
 * @param options time: of everything in it, in seconds since 1970. level: 1 to 19, of zstd.
 */
export async function writeArchive(
  files: ArchiveFiles,
  options: {
    readonly output: string;
    readonly folder: string;
    readonly time: number;
    readonly level: number;
  },
): Promise<void> {
  const { output, folder, time, level } = options;
  const work = await Deno.makeTempDir({ prefix: "kmeter-release-" });
  try {
    const root = `${work}/${folder}`;
    for (const [name, { path, isProgram }] of files) {
      const target = `${root}/${name}`;
      await Deno.mkdir(target.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.copyFile(path, target);
      await Deno.chmod(target, isProgram ? 0o755 : 0o644);
    }
    await Deno.writeTextFile(`${root}/SHA256SUMS`, await formatChecksums(root, [...files.keys()]));
    await runCommand([
      "tar",
      "--create",
      `--file=${output}.part`,
      `--directory=${work}`,
      "--format=gnu",
      "--sort=name",
      `--mtime=@${time}`,
      ...["--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX"],
      // The number of threads does not change the bytes, as long as it is not --single-thread.
      `--use-compress-program=zstd -${level} --threads=0`,
      folder,
      // Their environment would.
    ], { env: { LC_ALL: "C", TAR_OPTIONS: "", ZSTD_CLEVEL: "", ZSTD_NBTHREADS: "" } });
    await Deno.rename(`${output}.part`, output);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}
