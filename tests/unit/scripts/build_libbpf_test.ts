/** Builds kmeter's own libbpf twice, where the machine can: about ten seconds. */

// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";

const CHECKOUT = decodeURIComponent(new URL("../../..", import.meta.url).pathname);
const NAME = "two builds of libbpf in different folders are the same bytes, and they work";
const ELF_E_UNKNOWN = 1;

const SYMBOLS = {
  libbpf_version_string: { parameters: [], result: "pointer" }, // const char *
  elf_version: { parameters: ["u32"], result: "u32" }, // unsigned version
  elf_memory: { parameters: ["pointer", "usize"], result: "pointer" }, // char *image, size_t size → Elf *
  elf_errno: { parameters: [], result: "i32" },
  elf_errmsg: { parameters: ["i32"], result: "pointer" }, // int error → const char *
} as const satisfies Deno.ForeignLibraryInterface;

const reason = await findObstacle();
if (reason !== undefined) {
  Deno.stdout.writeSync(new TextEncoder().encode(`skip: ${NAME}: ${reason}\n`));
}

Deno.test({
  name: NAME,
  ignore: reason !== undefined,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const first = `${folder}/first.so`;
      const second = `${folder}/second.so`;
      await build(CHECKOUT, first);
      await build(await copyCheckout(`${folder}/another checkout`), second);
      assertEquals(await hashOf(first), await hashOf(second));
      useLibrary(first);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

const ARCHIVES_NAME =
  "the archives that are linked are libelf, zlib, and zstd where libelf calls it";
if (reason !== undefined) {
  Deno.stdout.writeSync(new TextEncoder().encode(`skip: ${ARCHIVES_NAME}: ${reason}\n`));
}

Deno.test({
  name: ARCHIVES_NAME,
  ignore: reason !== undefined,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      for (
        const [code, names] of [
          ["int elf_begin(void) { return 0; }", ["libelf.a", "libz.a"]],
          [
            "int ZSTD_decompress(void); int elf_begin(void) { return ZSTD_decompress(); }",
            ["libelf.a", "libz.a", "libzstd.a"],
          ],
        ] as const
      ) {
        await Deno.writeTextFile(`${folder}/libelf.c`, code);
        await run(["gcc", "-c", `${folder}/libelf.c`, "-o", `${folder}/libelf.o`]);
        await run(["ar", "rc", `${folder}/libelf.a`, `${folder}/libelf.o`]);
        // A compiler that finds every archive in the folder.
        const finder = `#!/bin/sh\necho "${folder}/\${1#-print-file-name=}"\n`;
        await Deno.mkdir(`${folder}/bin`, { recursive: true });
        await Deno.writeTextFile(`${folder}/bin/gcc`, finder, { mode: 0o755 });
        const printed = await run([`${CHECKOUT}/scripts/build_libbpf`, "--archives"], {
          PATH: `${folder}/bin:${Deno.env.get("PATH")}`,
        });
        assertEquals(printed, names.map((name) => `${folder}/${name}\n`).join(""));
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Runs a tool that must succeed. @returns what it printed. */
async function run(command: readonly string[], env?: Record<string, string>): Promise<string> {
  const [program, ...args] = command;
  const { success, stdout, stderr } = await new Deno.Command(program, { args, env }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Why it cannot be built here; undefined if it can. */
async function findObstacle(): Promise<string | undefined> {
  for (const archive of ["libelf.a", "libz.a"]) {
    let path: string;
    try {
      const args = [`-print-file-name=${archive}`];
      const { stdout } = await new Deno.Command("gcc", { args }).output();
      path = new TextDecoder().decode(stdout).trim();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "no gcc";
      throw error;
    }
    // The bare name is gcc's way to say that it has found none.
    if (!path.startsWith("/")) return `no ${archive}`;
  }
  return undefined;
}

async function build(checkout: string, output: string): Promise<void> {
  const command = new Deno.Command(`${checkout}/scripts/build_libbpf`, { args: [output] });
  const { success, stdout, stderr } = await command.output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert(success, text);
  assertEquals(text, "", "a build that works says nothing");
}

/** What the script needs of a checkout, the fetched source included. */
async function copyCheckout(folder: string): Promise<string> {
  for (const part of ["scripts/libbpf", ".tools"]) {
    await Deno.mkdir(`${folder}/${part}`, { recursive: true });
    for await (const { name, isFile } of Deno.readDir(`${CHECKOUT}${part}`)) {
      const isWanted = part !== ".tools" || name.startsWith("libbpf_");
      if (isFile && isWanted) {
        await Deno.copyFile(`${CHECKOUT}${part}/${name}`, `${folder}/${part}/${name}`);
      }
    }
  }
  for (const script of ["build_libbpf", "toolchain.bash"]) {
    await Deno.copyFile(`${CHECKOUT}scripts/${script}`, `${folder}/scripts/${script}`);
  }
  return folder;
}

async function hashOf(path: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(hash).toHex();
}

function useLibrary(path: string): void {
  const library = Deno.dlopen(path, SYMBOLS);
  const { symbols } = library;
  try {
    assertEquals(textAt(symbols.libbpf_version_string()), "v1.5");
    symbols.elf_version(1);
    assertEquals(symbols.elf_memory(null, 0n), null);
    assertEquals(textAt(symbols.elf_errmsg(0)), "invalid operand");
    assert(symbols.elf_errno() > ELF_E_UNKNOWN);
    assertEquals(symbols.elf_errno(), 0, "asking for it clears it");
    assertEquals(symbols.elf_errmsg(0), null);
    assertEquals(textAt(symbols.elf_errmsg(-1)), "no error");
    assertEquals(textAt(symbols.elf_errmsg(9999)), "unknown error");
  } finally {
    library.close();
  }
}

function textAt(pointer: Deno.PointerValue): string | undefined {
  return pointer === null ? undefined : Deno.UnsafePointerView.getCString(pointer);
}
