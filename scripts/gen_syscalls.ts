/**
 * Generates src/enrich/_syscall_tables.ts from the kernel's user-space headers.
 *
 * Input: the include folder of Debian's `linux-libc-dev` (6.12 or newer, which carries every
 * architecture), for example unpacked by `apt-get download linux-libc-dev && dpkg-deb -x *.deb DIR`.
 *
 * Usage: deno run --allow-read --allow-write scripts/gen_syscalls.ts DIR/usr/include "linux-libc-dev VERSION"
 */

const OUTPUT = new URL("../src/enrich/_syscall_tables.ts", import.meta.url);
const LINE_WIDTH = 96;

const ARCHITECTURES = [
  { constant: "SYSCALLS_X86_64", header: "x86_64-linux-gnu/asm/unistd_64.h" },
  { constant: "SYSCALLS_AARCH64", header: "aarch64-linux-gnu/asm/unistd_64.h" },
] as const;

interface NumberedName {
  readonly number: number;
  readonly name: string;
}

export function parseSyscalls(headerText: string): NumberedName[] {
  const found = [...headerText.matchAll(/^#define __NR_(\w+)\s+(\d+)\s*$/gm)]
    .map((match) => ({ name: match[1], number: Number(match[2]) }))
    .filter(({ name }) => name !== "syscalls" && name !== "arch_specific_syscall");
  return found.sort((a, b) => a.number - b.number);
}

/** Runs of consecutive numbers: each becomes `[first, "name name …"]`. */
export function groupRuns(syscalls: readonly NumberedName[]): { first: number; names: string[] }[] {
  const runs: { first: number; names: string[] }[] = [];
  for (const { number, name } of syscalls) {
    const last = runs.at(-1);
    if (last !== undefined && last.first + last.names.length === number) last.names.push(name);
    else runs.push({ first: number, names: [name] });
  }
  return runs;
}

function wrap(words: readonly string[]): string {
  const lines: string[] = [""];
  for (const word of words) {
    const line = lines[lines.length - 1];
    if (line !== "" && line.length + 1 + word.length > LINE_WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}

function emitTable(constant: string, runs: readonly { first: number; names: string[] }[]): string {
  const entries = runs.map(({ first, names }) =>
    `  [\n    ${first},\n    \`\n${wrap(names)}\n\`,\n  ],\n`
  );
  return `export const ${constant}: SyscallRuns = [\n${entries.join("")}];\n`;
}

async function readHeader(path: string): Promise<NumberedName[]> {
  const syscalls = parseSyscalls(await Deno.readTextFile(path));
  if (syscalls.length < 200) {
    throw new Error(
      `Cannot generate from "${path}": found ${syscalls.length} system calls, expected > 200`,
    );
  }
  return syscalls;
}

if (import.meta.main) {
  const [includeDir, inputLabel] = Deno.args;
  if (includeDir === undefined || inputLabel === undefined) {
    throw new Error('Usage: gen_syscalls.ts INCLUDE_DIR "linux-libc-dev VERSION"');
  }
  const tables: string[] = [];
  for (const { constant, header } of ARCHITECTURES) {
    tables.push(emitTable(constant, groupRuns(await readHeader(`${includeDir}/${header}`))));
  }
  const head = `// Generated, do not edit.
// Command: deno run --allow-read --allow-write scripts/gen_syscalls.ts DIR/usr/include "${inputLabel}"
// Input: ${ARCHITECTURES.map(({ header }) => header).join(" and ")} of ${inputLabel}.

/** Runs of consecutive system calls: the first number, and the names separated by white space. */
export type SyscallRuns = readonly (readonly [number, string])[];
`;
  await Deno.writeTextFile(OUTPUT, [head, ...tables].join("\n"));
}
