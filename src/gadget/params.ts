/** Parameters of a gadget: marked variables of the object, described by `gadget.yaml`. */

import type { Btf, TypeId } from "../btf/mod.ts";
import { deriveFields } from "../decode/mod.ts";
import { FormatError, UsageError } from "../errors.ts";
import { suggestName } from "../text/mod.ts";
import { decodeParam, encodeParam } from "./encode_param.ts";
import type { GadgetMetadata, ParamMetadata } from "./metadata.ts";
import type { ParamSpec } from "./spec.ts";

/** Where a variable lies, from the ELF symbol table. */
export interface SymbolPlace {
  /** Section name, for example `.rodata`. */
  readonly section: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** The parts of an object that parameters are read from. */
export interface ObjectData {
  readonly btf: Btf;
  /** Bytes of sections by name; only `.rodata*` are read. */
  readonly sections: ReadonlyMap<string, Uint8Array>;
  readonly symbols: ReadonlyMap<string, SymbolPlace>;
}

/** Flags of variables that the gadget headers declare. */
const WELL_KNOWN_FLAGS: ReadonlyMap<string, string> = new Map([
  ["targ_pid", "pid"],
  ["targ_tid", "tid"],
  ["targ_uid", "uid"],
  ["targ_gid", "gid"],
  ["targ_comm", "comm"],
  ["collect_ustack", "collect-ustack"],
  ["collect_build_id", "collect-build-id"],
  ["collect_otel_stack", "collect-otel-stack"],
]);
const IP_STRUCT = "gadget_l3endpoint_t";

export interface BuiltParams {
  readonly params: readonly ParamSpec[];
  /** Entries of `paramDefaults` that no parameter took, by the part after the last dot. */
  readonly flagDefaults: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/**
 * Describes the variables marked by `GADGET_PARAM`. A default of `gadget.yaml` wins over the bytes
 * of the object; `paramDefaults` wins over both.
 *
 * Throws: FormatError for variables that are no constants, for types that no flag can set, for
 * `gadget.yaml` entries without a variable, bad defaults, and two parameters of one flag name.
 */
export function buildParams(
  object: ObjectData,
  from: {
    variables: readonly string[];
    metadata: Pick<GadgetMetadata, "params" | "paramDefaults">;
  },
): BuiltParams {
  const warnings: string[] = [];
  const described = new Map<string, ParamMetadata>();
  for (const entry of from.metadata.params) {
    const warning = checkEntry(object, entry, from.variables);
    if (warning === undefined) described.set(entry.variable, entry);
    else warnings.push(warning);
  }
  const defaults = new DefaultOverrides(from.metadata.paramDefaults);
  const params: ParamSpec[] = [];
  for (const variable of from.variables) {
    const param = buildParam(object, variable, described.get(variable));
    const other = params.find(({ key }) => key === param.key);
    if (other !== undefined) {
      throw new FormatError(
        `Parameters "${other.variable}" and "${param.variable}" both have the flag --${param.key}`,
        { hint: "set another key under params.ebpf in gadget.yaml" },
      );
    }
    params.push(defaults.apply(param));
  }
  return { params, flagDefaults: defaults.rest(), warnings };
}

/** `paramDefaults`: fully qualified names such as `operator.oci.ebpf.pid`; case does not count. */
class DefaultOverrides {
  readonly #values = new Map<string, string>();

  constructor(paramDefaults: Readonly<Record<string, string>>) {
    for (const [name, value] of Object.entries(paramDefaults)) {
      this.#values.set(name.slice(name.lastIndexOf(".") + 1).toLowerCase(), value);
    }
  }

  apply(param: ParamSpec): ParamSpec {
    const key = param.key.toLowerCase();
    const defaultValue = this.#values.get(key);
    if (defaultValue === undefined) return param;
    this.#values.delete(key);
    return withDefault(param, defaultValue, `paramDefaults of "${param.key}"`);
  }

  rest(): Record<string, string> {
    return Object.fromEntries(this.#values);
  }
}

/** A warning for an entry without effect. Throws: FormatError for one without a variable. */
function checkEntry(
  object: ObjectData,
  entry: ParamMetadata,
  variables: readonly string[],
): string | undefined {
  if (variables.includes(entry.variable)) return undefined;
  if (object.btf.findByName("var", entry.variable) !== undefined) {
    return `${entry.place.describe()}: variable "${entry.variable}" is no parameter, since the ` +
      `object lacks GADGET_PARAM(${entry.variable}); ignored`;
  }
  throw new FormatError(
    `Unknown parameter in ${entry.place.describe()}: the object has no variable "${entry.variable}"`,
    { hint: suggestName(entry.variable, variables, "parameters of the object") },
  );
}

function buildParam(
  object: ObjectData,
  variable: string,
  entry: ParamMetadata | undefined,
): ParamSpec {
  const bytes = readInitialBytes(object, variable);
  const shape = {
    variable,
    key: entry?.key || WELL_KNOWN_FLAGS.get(variable) || variable,
    description: entry?.description ?? "",
    ...paramShape(object.btf, variable),
  };
  if (bytes.length !== shape.sizeBytes) {
    throw new FormatError(
      `Parameter "${variable}": its symbol covers ${bytes.length} bytes, its type ${shape.sizeBytes}`,
    );
  }
  const param: ParamSpec = { ...shape, defaultValue: decodeParam(shape, bytes) };
  if (entry?.defaultValue === undefined) return param;
  return withDefault(param, entry.defaultValue, entry.place.describe());
}

function withDefault(param: ParamSpec, defaultValue: string, where: string): ParamSpec {
  try {
    encodeParam(param, defaultValue);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new FormatError(`Wrong default in ${where}: ${error.message}`, {
      cause: error,
      hint: error.hint,
    });
  }
  return { ...param, defaultValue };
}

function readInitialBytes(object: ObjectData, variable: string): Uint8Array {
  const symbol = object.symbols.get(variable);
  const section = symbol && object.sections.get(symbol.section);
  if (symbol === undefined || !symbol.section.startsWith(".rodata") || section === undefined) {
    throw new FormatError(
      `Parameter "${variable}" lies in section "${symbol?.section ?? ""}", expected ".rodata"`,
      { hint: `declare it as "const volatile" with an initial value` },
    );
  }
  const end = symbol.offsetBytes + symbol.sizeBytes;
  if (end > section.length) {
    throw new FormatError(
      `Parameter "${variable}" ends at byte ${end} of section "${symbol.section}", ` +
        `which has ${section.length} bytes`,
      { offset: symbol.offsetBytes },
    );
  }
  return section.subarray(symbol.offsetBytes, end);
}

type ParamShape = Pick<ParamSpec, "kind" | "sizeBytes" | "enumerators" | "format">;

function paramShape(btf: Btf, variable: string): ParamShape {
  const type = variableType(btf, variable);
  const resolved = btf.resolve(type);
  if (resolved.names.includes(IP_STRUCT)) {
    return { kind: "bytes", sizeBytes: btf.sizeOf(type), format: "ip_addr" };
  }
  const isComposite = resolved.type.kind === "struct" || resolved.type.kind === "union";
  const field = isComposite
    ? undefined
    : deriveFields(btf, type, { segment: 0, scalarName: variable }).fields[0];
  const isSettable = field !== undefined && field.arrayLength === 0 &&
    resolved.type.kind !== "ptr" && field.kind !== "bytes" && !field.kind.endsWith("128");
  if (!isSettable) {
    throw new FormatError(
      `Parameter "${variable}" is of kind ${resolved.type.kind}, which no flag can set`,
      { hint: `parameters are integers, floats, bool, enums, char arrays or struct ${IP_STRUCT}` },
    );
  }
  const { kind, sizeBytes, format } = field;
  return format?.type === "enum"
    ? { kind, sizeBytes, enumerators: format.enumerators }
    : { kind, sizeBytes };
}

function variableType(btf: Btf, name: string): TypeId {
  const id = btf.findByName("var", name);
  const variable = id === undefined ? undefined : btf.type(id);
  if (variable?.kind === "var") return variable.type;
  throw new FormatError(`The object has no variable "${name}"`);
}
