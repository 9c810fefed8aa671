/** The parts of README.md that are meant for machines: fenced blocks whose info string says what they are. */

/**
 * One fenced block.
 *
 * Info strings: `sh test` holds commands to run, `sh test meanwhile` those to run while the last
 * command before runs; `c file=PATH` and `yaml file=PATH` are files to write; `c struct-of=PATH`
 * replaces a struct in such a file; `yaml promtool` is a configuration to check.
 */
export type ReadmeBlock =
  | {
    readonly kind: "commands";
    readonly isMeanwhile: boolean;
    readonly commands: readonly string[];
  }
  | { readonly kind: "file"; readonly path: string; readonly text: string }
  | { readonly kind: "struct"; readonly path: string; readonly text: string }
  | { readonly kind: "prometheus"; readonly text: string };

/** All marked blocks, in their order. */
export function readmeBlocks(markdown: string): ReadmeBlock[] {
  const blocks: ReadmeBlock[] = [];
  for (const [, info, text] of markdown.matchAll(/^```(\S+ .+)\n([^]*?)^```$/gm)) {
    const path = /=(\S+)$/.exec(info)?.[1] ?? "";
    if (/^sh test( meanwhile)?$/.test(info)) {
      const commands = text.trimEnd().split("\n");
      blocks.push({ kind: "commands", isMeanwhile: info.endsWith("meanwhile"), commands });
    } else if (/ file=/.test(info)) blocks.push({ kind: "file", path, text });
    else if (/ struct-of=/.test(info)) blocks.push({ kind: "struct", path, text });
    else if (info === "yaml promtool") blocks.push({ kind: "prometheus", text });
    else throw new Error(`README.md: a block of unknown kind "${info}"`);
  }
  return blocks;
}

/** The source with the block's struct in place of its own of that name. */
export function replaceStruct(source: string, block: string): string {
  const name = /^struct (\w+) \{$/m.exec(block)?.[1];
  const pattern = new RegExp(`^struct ${name} \\{\\n[^]*?^\\};\\n`, "m");
  if (name === undefined || !pattern.test(source)) {
    throw new Error(`no struct to replace: ${block}`);
  }
  return source.replace(pattern, () => block);
}

/** Cells of each row of the table whose header begins with `column`. */
export function readmeTable(markdown: string, column: string): string[][] {
  const lines = markdown.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${column} |`));
  if (start < 0) throw new Error(`README.md has no table with a column "${column}"`);
  const rows = lines.slice(start + 2);
  return rows.slice(0, rows.findIndex((line) => !line.startsWith("|")))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()));
}
