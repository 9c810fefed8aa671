/** Finds the host's clang and what came with it. */

import { UnsupportedError } from "../errors.ts";

/** Older ones lack CO-RE builtins that gadgets use. */
const CLANG_MIN = 16;
/** First the one that the built-in gadgets are made with, then newest first: as scripts/setup chooses. */
const CLANG_NAMES = [19, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 18, 17, 16]
  .map((version) => `clang-${version}`);

const INSTALL_HINT = "apt-get install clang-19 (Debian 12), or apt-get install clang (Debian 13, " +
  "Ubuntu 24.04 and newer)";

/** Programs that compile a gadget, as paths. */
export interface Toolchain {
  readonly clang: string;
  /** Absent if there is none of clang's own version. */
  readonly llvmStrip?: string;
}

/**
 * Finds clang.
 * @param path folders to look into, as in the variable PATH.
 * @throws UnsupportedError if there is none, or only one that is too old.
 */
export async function findToolchain(path: string): Promise<Toolchain> {
  for (const name of CLANG_NAMES) {
    const clang = findOnPath(path, name);
    if (clang !== undefined) return { clang, llvmStrip: findLlvmStrip(clang, { path, name }) };
  }
  const clang = findOnPath(path, "clang");
  if (clang === undefined) {
    throw new UnsupportedError(`Cannot build: there is no clang ${CLANG_MIN} or newer`, {
      feature: "clang",
      hint: INSTALL_HINT,
    });
  }
  const version = await readVersion(clang);
  if (!(parseInt(version) >= CLANG_MIN)) {
    throw new UnsupportedError(
      `Cannot build: ${clang} is version ${version}, wanted ${CLANG_MIN} or newer`,
      { feature: "clang", hint: INSTALL_HINT },
    );
  }
  const name = `clang-${parseInt(version)}`;
  return { clang, llvmStrip: findLlvmStrip(clang, { path, name }) };
}

/** The one beside clang, or of its version: a stranger's may not know what this clang writes. */
function findLlvmStrip(
  clang: string,
  { path, name }: { path: string; name: string },
): string | undefined {
  const real = Deno.realPathSync(clang);
  const beside = `${real.slice(0, real.lastIndexOf("/"))}/llvm-strip`;
  return isFile(beside) ? beside : findOnPath(path, name.replace("clang", "llvm-strip"));
}

async function readVersion(clang: string): Promise<string> {
  const command = new Deno.Command(clang, { args: ["-dumpversion"], stderr: "null" });
  const { stdout } = await command.output();
  return new TextDecoder().decode(stdout).trim() || "unknown";
}

function findOnPath(path: string, name: string): string | undefined {
  const folders = path.split(":").filter((folder) => folder !== "");
  return folders.map((folder) => `${folder}/${name}`).find(isFile);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.PermissionDenied
    ) return false;
    throw error;
  }
}
