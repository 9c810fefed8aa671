/** Files → checked specification, without touching the kernel. */

import { type ElfObject, readElf } from "../../ffi/mod.ts";
import { parseBtf } from "../btf/mod.ts";
import { FormatError } from "../errors.ts";
import { buildGadgetSpec, type GadgetSpec, type MapDefinition } from "../gadget/mod.ts";
import { type GadgetFiles, readGadgetFiles } from "./gadget_files.ts";

/** A gadget that could run. */
export interface ParsedGadget {
  readonly files: GadgetFiles;
  readonly elf: ElfObject;
  readonly spec: GadgetSpec;
  readonly maps: ReadonlyMap<string, MapDefinition>;
  /** Ring buffers that may be perf buffers instead. */
  readonly tracerMaps: readonly string[];
  /** Maps that `iter/bpf_map_elem` programs walk, by program. */
  readonly iterTargetMaps: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
}

/**
 * Reads and checks what GADGET names.
 * @param annotate values of `--annotate`.
 * @throws UsageError, FormatError, UnsupportedError.
 */
export function parseGadget(gadget: string, annotate: readonly string[]): ParsedGadget {
  const files = readGadgetFiles(gadget);
  const elf = readElf(files.object, files.objectFile);
  const btfBytes = elf.sections.get(".BTF");
  if (btfBytes === undefined) {
    throw new FormatError(`Cannot use "${files.objectFile}": it has no .BTF section`, {
      hint: "compile with clang -g; strip only with llvm-strip -g, which keeps BTF",
    });
  }
  const { spec, maps, markers, warnings } = namingFile(files.objectFile, () =>
    buildGadgetSpec({
      name: files.name,
      btf: parseBtf(btfBytes),
      sections: elf.sections,
      symbols: elf.symbols,
      metadataText: files.metadataText,
      metadataFile: files.metadataFile,
      annotate,
    }));
  if (spec.dataSources.length === 0) {
    throw new FormatError(`Cannot use "${files.objectFile}": it declares no data source`, {
      hint: "declare one with GADGET_TRACER, GADGET_MAPITER or GADGET_ITER",
    });
  }
  const stale = files.newerSource === undefined ? [] : [
    `${files.newerSource} is newer than the object that runs: build it with kmeter build`,
  ];
  return {
    files,
    elf,
    spec,
    maps,
    tracerMaps: markers.tracerMaps,
    iterTargetMaps: markers.iterTargetMaps,
    warnings: [...stale, ...warnings],
  };
}

/** Adds the object's name to what the pure layers say of its bytes. Errors of other files name theirs. */
function namingFile<T>(objectFile: string, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof FormatError) || /\.yaml\b/.test(error.message)) throw error;
    throw new FormatError(`Cannot use "${objectFile}": ${error.message}`, {
      offset: error.offset,
      hint: error.hint ??
        "the object is damaged or hostile; build it anew with kmeter build FOLDER",
      cause: error,
    });
  }
}
