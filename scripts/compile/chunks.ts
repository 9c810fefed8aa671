/**
 * Chunks of code: what the bundler makes of a module and of all that it imports, statically or when needed.
 *
 * Deno parses every module by a parser of its own, to look for imports, before V8 does: for 600 KB of code that
 * is 40 ms and 15 MB. So each chunk is the body of a function, all chunks of a thread are one file, and a short
 * module reads from it and compiles what is wanted.
 */

/** A chunk, ready to be loaded. */
export interface Chunk {
  /** Body of a function with PARAMETERS that returns what the chunk exports. ASCII. */
  readonly body: string;
  /** As stack traces call it. */
  readonly name: string;
}

/**
 * What the code calls the address of its module, the function by which CommonJS packages ask for Node's modules,
 * the one that reads packed files, and those that load a chunk by its number, at once and later.
 */
const PARAMETERS = ["moduleUrl", "require", "readPacked", "loadChunk", "importChunk"];
/** prom-client words its errors by node:util, which would cost 1.6 MB. */
const REQUIRE = `(name) => name === "node:util"
  ? { inspect: Deno.inspect, format: Deno.inspect }
  : process.getBuiltinModule(name)`;

const STATIC_IMPORT = /^import (?:\{([^}]*)\} from )?"\.\/([^"]+)";$/gm;
const DYNAMIC_IMPORT = /\bimport\("\.\/([^"]+)"\)/g;
/** The bundler writes at most one, at the end. */
const EXPORT = /^export \{([^}]*)\};$/m;

/**
 * The chunks by their numbers: 0 is the entry, the others follow in the order in which the code names them.
 *
 * @param files code of the bundler's files by their names.
 */
export function orderChunks(files: ReadonlyMap<string, string>, entry: string): Chunk[] {
  const names = [entry];
  const numberOf = (name: string) => {
    if (!names.includes(name)) names.push(name);
    return names.indexOf(name);
  };
  const chunks: Chunk[] = [];
  for (const name of names) {
    const code = files.get(name);
    if (code === undefined) throw new Error(`The bundler names ${name}, and did not write it`);
    // The hash in a file's name is that of other bytes.
    const title = name.replace(/(?:-[A-Z0-9]{8})?\.js$/, `_${chunks.length}.js`);
    const body = asFunctionBody(code, numberOf);
    checkSyntax(body, { title, isEntry: name === entry });
    chunks.push({ body, name: title });
  }
  return chunks;
}

/** Only an entry may wait at its top level. */
function checkSyntax(
  body: string,
  { title, isEntry }: { readonly title: string; readonly isEntry: boolean },
): void {
  const Kind = (isEntry ? async () => {} : () => {}).constructor as FunctionConstructor;
  try {
    new Kind(...PARAMETERS, body);
  } catch (cause) {
    throw new Error(`The bundler's ${title} cannot be a function: ${cause}`, { cause });
  }
}

/** The code of a bundled module, as the body of a function with PARAMETERS. */
function asFunctionBody(code: string, numberOf: (file: string) => number): string {
  checkExports(code);
  const linked = code.replace(STATIC_IMPORT, (_, bindings: string | undefined, file: string) => {
    const load = `loadChunk(${numberOf(file)});`;
    return bindings === undefined ? load : `const {${bindings.replaceAll(" as ", ": ")}} = ${load}`;
  })
    .replace(DYNAMIC_IMPORT, (_, file: string) => `importChunk(${numberOf(file)})`)
    .replace(
      EXPORT,
      (_, bindings: string) => `return {${bindings.replace(/([\w$]+) as ([\w$]+)/g, "$2: $1")}};`,
    );
  if (/^(?:import|export)\b/m.test(linked)) {
    throw new Error("The bundle has imports or exports that a function cannot have");
  }
  if (/String\.raw`[^`]*[^\0-\x7f]/.test(linked)) {
    throw new Error("The bundle has a raw string that is not ASCII: an escape would change it");
  }
  // V8 takes twice the memory for a text with a single character beyond Latin-1.
  return linked.replaceAll("import.meta.url", PARAMETERS[0])
    .replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Who imports a binding copies it: it must not change afterwards. */
function checkExports(code: string): void {
  for (const [, name] of EXPORT.exec(code)?.[1].matchAll(/^ +([\w$]+)/gm) ?? []) {
    const change = new RegExp(
      `(?<![\\w$.#]|\\bvar )${RegExp.escape(name)}(?: [^\\s=\\w]*=(?![=>])|\\+\\+|--)`,
    );
    const found = change.exec(code);
    if (found !== null) throw new Error(`The bundle exports a variable that changes: ${found[0]}`);
  }
}

/** The file of all chunks, and the module that loads the first of them from it. */
export function joinChunks(
  chunks: readonly Chunk[],
  { file }: { readonly file: string },
): { readonly code: string; readonly loader: string } {
  const texts = chunks.map(({ body, name }) => `${body}//# sourceURL=${name}\n`);
  return { code: texts.join(""), loader: loaderOf(texts.map(({ length }) => length), { file }) };
}

/** Expects `readPacked` before it. */
function loaderOf(sizes: readonly number[], { file }: { readonly file: string }): string {
  const offsets = [0];
  for (const size of sizes) offsets.push(offsets[offsets.length - 1] + size);
  const parameters = PARAMETERS.map((name) => `"${name}"`).join(", ");
  // No variable holds the text: it would live as long as the program.
  return `const CODE = new URL("./${file}", import.meta.url);
const OFFSETS = ${JSON.stringify(offsets)};
function readCode(number) {
  const bytes = readPacked(CODE, OFFSETS[number], OFFSETS[number + 1] - OFFSETS[number]);
  const text = new TextDecoder().decode(bytes);
  // Freed now, not when the collector comes.
  bytes.buffer.transfer(0);
  return text;
}
const requireBuiltin = ${REQUIRE};
const run = (Kind, number) =>
  new Kind(${parameters}, readCode(number))(
    import.meta.url,
    requireBuiltin,
    readPacked,
    loadChunk,
    importChunk,
  );
const loaded = [];
function loadChunk(number) {
  return loaded[number] ??= run(Function, number);
}
async function importChunk(number) {
  return loadChunk(number);
}
await run((async () => {}).constructor, 0);
`;
}
