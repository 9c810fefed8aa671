/**
 * Checks what keeps the layers apart: the direction of imports, doors, private files, purity, and the
 * rules of the style guide that a pattern can see. Prints `file:line: message` and exits with 1.
 *
 * Usage: deno task check:layers
 */
// deno-lint-ignore-file no-console -- a command for a person, not part of kmeter
import { maskSource } from "./_mask_source.ts";

interface Layer {
  readonly name: string;
  /** A folder, ending with a slash, or one file. */
  readonly path: string;
  /** Runs without FFI, root, Linux or a clock, and so does all it imports. */
  readonly isPure: boolean;
}

/** One violation. `line` counts from 1. */
export interface Problem {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

interface Import {
  readonly line: number;
  readonly specifier: string;
  /** The imported file from the checkout on; undefined for a package. */
  readonly target: string | undefined;
}

interface SourceFile {
  readonly path: string;
  readonly layer: Layer | undefined;
  readonly code: string;
  readonly comments: string;
  readonly imports: readonly Import[];
  readonly lineCount: number;
  readonly isGenerated: boolean;
}

/** A file may import from its own layer and from the ones above it in this table. */
const LAYERS: readonly Layer[] = [
  { name: "errors", path: "src/errors.ts", isPure: true },
  { name: "text", path: "src/text/", isPure: true },
  { name: "assets", path: "src/assets/", isPure: false },
  { name: "ffi", path: "ffi/", isPure: false },
  { name: "btf", path: "src/btf/", isPure: true },
  { name: "decode", path: "src/decode/", isPure: true },
  { name: "gadget", path: "src/gadget/", isPure: true },
  { name: "config", path: "src/config/", isPure: true },
  { name: "metrics", path: "src/metrics/", isPure: true },
  { name: "enrich", path: "src/enrich/", isPure: false },
  { name: "sources", path: "src/sources/", isPure: false },
  { name: "export", path: "src/export/", isPure: false },
  { name: "view", path: "src/view/", isPure: true },
  { name: "dashboard", path: "src/dashboard/", isPure: true },
  { name: "operators", path: "src/operators/", isPure: false },
  { name: "engine", path: "src/engine/", isPure: false },
  { name: "cli", path: "src/cli/", isPure: false },
  { name: "main", path: "main.ts", isPure: false },
];

/** What uses the layers without being one. */
const USERS = ["tests/", "bench/", "scripts/"];
const SKIPPED_FOLDERS = ["tests/fixtures/", "tests/golden/"];

const MAX_LINES = 500;
const MAX_TEST_LINES = 800;

interface Pattern {
  readonly pattern: RegExp;
  readonly message: string;
  readonly appliesTo: (file: SourceFile) => boolean;
}

const isInLayer = (file: SourceFile): boolean => file.layer !== undefined;
const isPure = (file: SourceFile): boolean => file.layer?.isPure === true;

const CODE_PATTERNS: readonly Pattern[] = [
  {
    pattern: /\bDeno\s*\./g,
    message: "`Deno.` in a pure layer: take what you need as a parameter",
    appliesTo: isPure,
  },
  {
    pattern:
      /\b(?:Date\.now|performance\.now|new Date\s*\(\s*\)|Math\.random|set(?:Timeout|Interval)\b)/g,
    message: "a clock, timer or random source in a pure layer: pass it in",
    appliesTo: isPure,
  },
  {
    pattern: /\bDeno\s*\.\s*(?:dlopen|Unsafe\w*|Pointer\w*)/g,
    message: "native memory outside ffi/: use a handle from ffi/mod.ts",
    appliesTo: (file) => isInLayer(file) && file.layer?.name !== "ffi",
  },
  {
    pattern: /\bconsole\s*\./g,
    message: "`console` outside src/cli: return the text or throw",
    appliesTo: (file) => isInLayer(file) && file.layer?.name !== "cli",
  },
  {
    pattern: /(?<![.\w$])any(?![\w$]|\s*[:(.])/g,
    message: "`any`: use `unknown` and narrow it",
    appliesTo: () => true,
  },
  { pattern: /\bexport\s+default\b/g, message: "a default export: name it", appliesTo: () => true },
  {
    pattern: /\bexport\s*\*/g,
    message: "`export *`: list the names, so that the door shows what is public",
    appliesTo: isInLayer,
  },
  {
    pattern: /\bclass\s+\w+(?:<[^>]*>)?\s+extends\s+(?!\w*Error\b)/g,
    message: "inheritance other than from Error: compose",
    appliesTo: isInLayer,
  },
  { pattern: /\bnew\s+Proxy\b/g, message: "a Proxy", appliesTo: isInLayer },
];

const COMMENT_PATTERNS: readonly Pattern[] = [
  {
    pattern: /@ts-(?:ignore|nocheck)\b/g,
    message: "a switched-off type check",
    appliesTo: () => true,
  },
  {
    pattern: /\b(?:TODO|FIXME|XXX)\b/g,
    message: "an open end: finish it or file an issue",
    appliesTo: () => true,
  },
];

const FORBIDDEN_NAME = /(?:^|\/)_?(?:utils?|helpers?|common|misc)(?:_test)?\.(?:d\.)?ts$/;

/** Checks a set of TypeScript files, given as path from the checkout on → source. */
export function checkLayers(sources: ReadonlyMap<string, string>): Problem[] {
  const files = [...sources].map(([path, source]) => parseFile(path, source));
  const problems = files.flatMap((file) => [
    ...checkFileItself(file),
    ...file.imports.flatMap((imported) => checkImport(file, imported)),
    ...checkPatterns(file, { patterns: CODE_PATTERNS, text: file.code }),
    ...checkPatterns(file, { patterns: COMMENT_PATTERNS, text: file.comments }),
  ]);
  problems.push(...findCycles(files), ...findNativeNeeds(files));
  return problems.sort((a, b) => a.path.localeCompare(b.path) || a.line - b.line);
}

function parseFile(path: string, source: string): SourceFile {
  const { code, comments } = maskSource(source);
  return {
    path,
    layer: layerOf(path),
    code,
    comments,
    imports: findImports(path, { source, code }),
    lineCount: source.split("\n").length - (source.endsWith("\n") ? 1 : 0),
    isGenerated: /^(?:\/\/|\/\*\*?)\s*Generated\b/.test(source),
  };
}

function layerOf(path: string): Layer | undefined {
  return LAYERS.find((layer) =>
    layer.path.endsWith("/") ? path.startsWith(layer.path) : path === layer.path
  );
}

function findImports(path: string, { source, code }: { source: string; code: string }): Import[] {
  // Quotes survive in `code` and their content does not, so `"` closes what `"` opened.
  const pattern = /\b(?:import|export)\b(?:[^'";()]*?\bfrom\s*|\s*|\s*\(\s*)(["'])( *)\1/g;
  return [...code.matchAll(pattern)].map((match) => {
    const end = match.index + match[0].length - 1;
    const specifier = source.slice(end - match[2].length, end);
    return {
      line: lineAt(code, end),
      specifier,
      target: specifier.startsWith(".") ? resolve(path, specifier) : undefined,
    };
  });
}

function resolve(fromPath: string, specifier: string): string {
  return new URL(specifier, `file:///${fromPath}`).pathname.slice(1);
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

function checkFileItself(file: SourceFile): Problem[] {
  const problems: Problem[] = [];
  const report = (message: string) => problems.push({ path: file.path, line: 1, message });
  if (FORBIDDEN_NAME.test(file.path)) {
    report("the name says nothing: name the file after its main export");
  }
  const limit = file.path.startsWith("tests/") ? MAX_TEST_LINES : MAX_LINES;
  if (file.lineCount > limit && !file.isGenerated) {
    report(`${file.lineCount} lines, at most ${limit}: split it by idea`);
  }
  if (file.layer === undefined && !USERS.some((folder) => file.path.startsWith(folder))) {
    report(
      "belongs to no layer: move it, or add its folder to the table in scripts/check_layers.ts",
    );
  }
  return problems;
}

function checkImport(file: SourceFile, { line, specifier, target }: Import): Problem[] {
  if (target === undefined) return [];
  const message = privateFileFault(file.path, target) ?? layerFault(file, target);
  return message === undefined
    ? []
    : [{ path: file.path, line, message: `"${specifier}" ${message}` }];
}

/** `_name` belongs to its folder and the folders in it. */
function privateFileFault(path: string, target: string): string | undefined {
  const slash = target.lastIndexOf("/");
  const folder = target.slice(0, slash + 1);
  if (!target.slice(slash + 1).startsWith("_") || path.startsWith(folder)) return undefined;
  return `is private to ${folder}`;
}

function layerFault(file: SourceFile, target: string): string | undefined {
  const from = file.layer;
  const to = layerOf(target);
  if (from === undefined || from === to) return undefined;
  if (to === undefined) return `is no part of kmeter: ${from.name} must not need it`;
  if (LAYERS.indexOf(to) > LAYERS.indexOf(from)) {
    return `points up: ${from.name} comes before ${to.name}`;
  }
  if (to.path.endsWith("/") && target !== `${to.path}mod.ts`) {
    return `goes around the door: import from ${to.path}mod.ts`;
  }
  return undefined;
}

function checkPatterns(
  file: SourceFile,
  { patterns, text }: { patterns: readonly Pattern[]; text: string },
): Problem[] {
  return patterns
    .filter(({ appliesTo }) => appliesTo(file))
    .flatMap(({ pattern, message }) =>
      [...text.matchAll(pattern)].map(({ index }) => ({
        path: file.path,
        line: lineAt(text, index),
        message,
      }))
    );
}

/** Reports each import of a pure layer that ends up in ffi, however long the way. */
function findNativeNeeds(files: readonly SourceFile[]): Problem[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const seen = new Map<string, readonly string[] | undefined>();
  const wayToFfi = (path: string): readonly string[] | undefined => {
    if (layerOf(path)?.name === "ffi") return [path];
    if (seen.has(path)) return seen.get(path);
    seen.set(path, undefined);
    for (const { target } of byPath.get(path)?.imports ?? []) {
      const rest = target === undefined ? undefined : wayToFfi(target);
      if (rest !== undefined) seen.set(path, [path, ...rest]);
    }
    return seen.get(path);
  };
  return files.filter(isPure).flatMap(({ path, layer, imports }) =>
    imports.flatMap(({ target, line, specifier }) => {
      // Its own layer's files are reported themselves.
      if (target === undefined || layerOf(target) === layer) return [];
      const way = wayToFfi(target)?.join(" → ");
      if (way === undefined) return [];
      return [{ path, line, message: `"${specifier}" makes ${layer?.name} impure: ${way}` }];
    })
  );
}

/** Reports each cycle once, at the import that closes it. */
function findCycles(files: readonly SourceFile[]): Problem[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const problems: Problem[] = [];
  const finished = new Set<string>();
  const visit = (file: SourceFile, trail: readonly string[]): void => {
    for (const { target, line } of file.imports) {
      const next = target === undefined ? undefined : byPath.get(target);
      if (next === undefined || finished.has(next.path)) continue;
      const start = [...trail, file.path].indexOf(next.path);
      if (start < 0) {
        visit(next, [...trail, file.path]);
      } else {
        const cycle = [...trail, file.path].slice(start).concat(next.path).join(" → ");
        problems.push({ path: file.path, line, message: `closes a cycle: ${cycle}` });
      }
    }
    finished.add(file.path);
  };
  for (const file of files) if (!finished.has(file.path)) visit(file, []);
  return problems;
}

function readSources(checkout: string): Map<string, string> {
  const sources = new Map<string, string>();
  const read = (path: string) => sources.set(path, Deno.readTextFileSync(`${checkout}/${path}`));
  const walk = (folder: string): void => {
    if (SKIPPED_FOLDERS.includes(folder)) return;
    for (const entry of Deno.readDirSync(`${checkout}/${folder}`)) {
      if (entry.isDirectory) walk(`${folder}${entry.name}/`);
      else if (entry.name.endsWith(".ts")) read(folder + entry.name);
    }
  };
  for (const folder of ["src/", "ffi/", ...USERS]) walk(folder);
  read("main.ts");
  return sources;
}

if (import.meta.main) {
  const sources = readSources(decodeURIComponent(new URL("..", import.meta.url).pathname));
  const problems = checkLayers(sources);
  for (const { path, line, message } of problems) console.error(`${path}:${line}: ${message}`);
  console.log(`${sources.size} files, ${problems.length} problems`);
  if (problems.length > 0) Deno.exit(1);
}
