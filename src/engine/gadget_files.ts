/** Finds a gadget's files: a built-in name, a folder, or an object file. */

import { listAssets, readAsset } from "../assets/mod.ts";
import { UsageError } from "../errors.ts";
import { suggestName } from "../text/mod.ts";

/** A gadget's bytes and where they came from. */
export interface GadgetFiles {
  /** Short name: of the built-in, the folder, or the object file. */
  readonly name: string;
  readonly objectFile: string;
  readonly object: Uint8Array<ArrayBuffer>;
  /** Present if there is a gadget.yaml beside the object. */
  readonly metadataFile?: string;
  readonly metadataText?: string;
  /** Present if the source beside the object is newer. */
  readonly newerSource?: string;
}

/** Object file in a gadget's folder, as `kmeter build` makes it. */
export const OBJECT_NAME = "program.bpf.o";
export const SOURCE_NAME = "program.bpf.c";
export const METADATA_NAME = "gadget.yaml";

/** Folder of the built-in gadgets among the assets. */
const BUILTINS = "gadgets";

/** Names of the built-in gadgets, sorted. */
export function builtinNames(): string[] {
  return listAssets(BUILTINS)
    .map((asset) => asset.split("/"))
    .filter((parts) => parts.length === 3 && parts[2] === METADATA_NAME)
    .map(([_, name]) => name);
}

/**
 * Reads what GADGET names.
 * @throws UsageError if there is no such gadget or it is not built.
 */
export function readGadgetFiles(gadget: string): GadgetFiles {
  const isName = /^[A-Za-z0-9_-]+$/.test(gadget);
  const builtin = isName ? readBuiltin(gadget) : undefined;
  if (builtin !== undefined) return builtin;
  const info = stat(gadget);
  if (info?.isDirectory) return readFolder(gadget.replace(/\/+$/, ""));
  if (info?.isFile) return readObjectFile(gadget);
  throw new UsageError(`There is no gadget "${gadget}": no built-in, folder or file of that name`, {
    hint: isName
      ? `${suggestName(gadget, builtinNames(), "gadgets")}; kmeter list shows all`
      : "give a built-in name (kmeter list), a gadget's folder, or a .bpf.o file",
  });
}

function readBuiltin(name: string): GadgetFiles | undefined {
  const metadataFile = `${BUILTINS}/${name}/${METADATA_NAME}`;
  const metadata = readAsset(metadataFile);
  if (metadata === undefined) return undefined;
  const objectFile = `${BUILTINS}/${name}/${OBJECT_NAME}`;
  const object = readAsset(objectFile);
  if (object === undefined) {
    throw new UsageError(`Cannot run "${name}": there is no ${objectFile}`, {
      hint: "this checkout is not set up yet: scripts/setup",
    });
  }
  return {
    name,
    objectFile,
    object,
    metadataFile,
    metadataText: new TextDecoder().decode(metadata),
  };
}

function readFolder(folder: string): GadgetFiles {
  const objectFile = `${folder}/${OBJECT_NAME}`;
  if (!exists(objectFile)) {
    const built = exists(`${folder}/${SOURCE_NAME}`);
    throw new UsageError(`Cannot run "${folder}": it has no ${OBJECT_NAME}`, {
      hint: built
        ? `build it first: kmeter build ${folder}`
        : `a gadget's folder holds ${SOURCE_NAME} or ${OBJECT_NAME}, and ${METADATA_NAME}`,
    });
  }
  const name = Deno.realPathSync(folder).split("/").pop() ?? "gadget";
  const source = `${folder}/${SOURCE_NAME}`;
  const newerSource = isNewer(source, objectFile) ? source : undefined;
  return { name, newerSource, objectFile, object: readBytes(objectFile), ...readMetadata(folder) };
}

function readObjectFile(file: string): GadgetFiles {
  const folder = file.includes("/") ? file.slice(0, file.lastIndexOf("/")) || "/" : ".";
  const leaf = file.slice(file.lastIndexOf("/") + 1);
  const name = leaf === OBJECT_NAME
    ? Deno.realPathSync(folder).split("/").pop() ?? "gadget"
    : leaf.replace(/(\.bpf)?\.o$/, "");
  return { name, objectFile: file, object: readBytes(file), ...readMetadata(folder) };
}

function readMetadata(folder: string): Pick<GadgetFiles, "metadataFile" | "metadataText"> {
  const metadataFile = `${folder}/${METADATA_NAME}`;
  if (!exists(metadataFile)) return {};
  return { metadataFile, metadataText: new TextDecoder().decode(readBytes(metadataFile)) };
}

function readBytes(file: string): Uint8Array<ArrayBuffer> {
  try {
    return Deno.readFileSync(file);
  } catch (cause) {
    throw new UsageError(`Cannot read "${file}": ${reasonOf(cause)}`, {
      cause,
      hint: "check what it is and who may read it: ls -l",
    });
  }
}

/** Throws: NotCapable, which is no matter of the file's mode. */
function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) throw error;
  return error instanceof Error
    ? error.message.replace(/: (readfile|open|stat) '.*$/, "")
    : String(error);
}

function isNewer(path: string, than: string): boolean {
  const [first, second] = [path, than].map((file) => stat(file)?.mtime?.getTime());
  return first !== undefined && second !== undefined && first > second;
}

function exists(path: string): boolean {
  return stat(path) !== undefined;
}

function stat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw new UsageError(`Cannot look at "${path}": ${reasonOf(error)}`, {
      cause: error,
      hint: "check who may read it: ls -l",
    });
  }
}
