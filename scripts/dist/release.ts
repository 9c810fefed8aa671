/**
 * Makes all that is released, in dist/: the program, its papers, its SBOM, an archive of these, the Debian
 * package, and SHA256SUMS. The same commit, tools and vmlinux.h give the same bytes. Files of other versions
 * leave when all is made.
 *
 * Usage: deno task release
 */
// deno-lint-ignore-file no-console -- a command for a person, not part of kmeter

import { CHECKOUT, compile, DIST } from "../compile/compile.ts";
import { sourceTime } from "../compile/describe_version.ts";
import { runCommand } from "../compile/run_command.ts";
import { writePapers } from "../papers/papers.ts";
import { archiveFiles, writeArchive } from "./archive.ts";
import { formatChecksums } from "./checksums.ts";
import { PAPERS, SBOM } from "./names.ts";
import { removeOtherVersions } from "./remove_others.ts";
import { writeSbom } from "./sbom.ts";

const LEVEL = 19;
/** Larger is too much to download. */
const MAX_ARCHIVE_BYTES = 35e6;

async function release(): Promise<void> {
  const time = await sourceTime(CHECKOUT, Deno.env.get("SOURCE_DATE_EPOCH"));
  const { version, packedBy } = await compile({ isAnew: true });
  console.log("writing papers and SBOM, then packing archive and Debian package: about a minute");
  await writePapers(DIST);
  await writeSbom({ version, time, packedBy });
  const archive = `kmeter-${version}-linux-${Deno.build.arch}.tar.zst`;
  await writeArchive(archiveFiles({ checkout: CHECKOUT, dist: DIST }), {
    output: `${DIST}/${archive}`,
    folder: archive.replace(".tar.zst", ""),
    time,
    level: LEVEL,
  });
  const { size } = await Deno.stat(`${DIST}/${archive}`);
  if (size > MAX_ARCHIVE_BYTES) {
    throw new Error(`${archive} has ${size} bytes, and may have ${MAX_ARCHIVE_BYTES}`);
  }
  const types = `vmlinux-${version}.h.zst`;
  await writeKernelTypes(`${DIST}/${types}`);
  const names = ["kmeter", ...PAPERS, SBOM, archive, types, await buildDebianPackage(time)];
  await Deno.writeTextFile(`${DIST}/SHA256SUMS`, await formatChecksums(DIST, names));
  await removeOtherVersions(DIST, names);
  for (const name of ["SHA256SUMS", ...names.toSorted()]) {
    const { size } = await Deno.stat(`${DIST}/${name}`);
    console.log(`${(size / 1e6).toFixed(1).padStart(6)} MB  dist/${name}`);
  }
}

/** The kernel's types are those of the machine that builds: who builds anew elsewhere needs them. */
async function writeKernelTypes(output: string): Promise<void> {
  const header = `${CHECKOUT}/gadgets/include/vmlinux.h`;
  await runCommand(
    ["zstd", `-${LEVEL}`, "--threads=0", "--force", "--quiet", header, "-o", output],
    {
      env: { ZSTD_CLEVEL: "", ZSTD_NBTHREADS: "" },
    },
  );
}

/** @returns its name in dist/. */
async function buildDebianPackage(time: number): Promise<string> {
  const path = await runCommand([`${CHECKOUT}/scripts/packaging/build_deb`], {
    env: { SOURCE_DATE_EPOCH: String(time) },
  });
  return path.trim().replace(/^.*\//, "");
}

if (import.meta.main) {
  try {
    await release();
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    console.error("hint: scripts/setup --release installs what is needed");
    Deno.exit(1);
  }
}
