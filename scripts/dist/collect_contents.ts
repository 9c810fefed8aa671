/** What dist/kmeter is made of, found where the build takes it from. */

import { type Contents, type PackageUrl, type Part, partId } from "../sbom/contents.ts";
import { bundleModules } from "../compile/bundle.ts";
import type { Packer } from "../compile/compile.ts";
import { exists } from "../compile/exists.ts";
import { findNpmCache, packagesIn } from "../compile/name_packages.ts";
import { runCommand } from "../compile/run_command.ts";
import { findCrates } from "../gen_deno_crates.ts";
import { sha256Of } from "./checksums.ts";
import { findInnerLibraries } from "./inner_libraries.ts";
import { readBundle } from "./read_bundle.ts";

/** A release that is being made. */
export interface Release {
  readonly checkout: string;
  /** The packed program. */
  readonly program: string;
  readonly version: string;
  /** When the sources were committed. Unit: seconds since 1970. */
  readonly time: number;
  /** Tells the runtime's file: `deno compile` takes another one than that which runs this. */
  readonly packedBy: Packer;
}

/** Everything in the program. Cost: runs tools of the build for some seconds. */
export async function collectContents(release: Release): Promise<Contents> {
  const { checkout, program, version, time } = release;
  const gadgets = await gadgetParts(release);
  const packages = await npmParts(checkout);
  const kmeter: Part = {
    kind: "application",
    name: "kmeter",
    version,
    description: "Runs eBPF gadgets and turns what they see into metrics",
    license: "Apache-2.0",
    packageUrl: { type: "generic", name: "kmeter", version },
    hashes: { "SHA-256": await sha256Of(program) },
  };
  return {
    program: kmeter,
    parts: [
      ...await runtimeParts(release),
      ...await libraryParts(checkout),
      ...packages,
      ...gadgets,
    ],
    time,
    buildInputs: await buildInputs(checkout),
  };
}

/** Deno, the engine in it, and what it names inside: not all crates, only those that can panic. */
async function runtimeParts(release: Release): Promise<Part[]> {
  const { deno, v8 } = Deno.version;
  const program = await Deno.readFile(release.program);
  const crates = findCrates(program).map(cratePart);
  const libraries = findInnerLibraries(program, crates.map(({ name }) => name));
  return [
    {
      kind: "framework",
      name: "deno",
      version: deno,
      ...await runtimeSource(release),
      license: "MIT",
      cpe: `cpe:2.3:a:deno:deno:${deno}:*:*:*:*:*:*:*`,
      holds: [`v8@${v8}`, ...crates.map(partId)],
    },
    ...crates.map((crate) => ({ ...crate, holds: libraries.in(crate.name).map(partId) })),
    {
      kind: "library",
      name: "v8",
      version: v8,
      description: "JavaScript engine, in deno",
      license: "BSD-3-Clause",
      packageUrl: {
        type: "github",
        namespace: "v8",
        name: "v8",
        version: v8.replace(/-.*$/, ""),
      },
      hashes: {},
      holds: libraries.in("v8").map(partId),
    },
    ...libraries.all,
  ];
}

/** Where the runtime's file is from. */
async function runtimeSource(
  { checkout, packedBy }: Release,
): Promise<Pick<Part, "description" | "packageUrl" | "hashes">> {
  const { deno } = Deno.version;
  const packageUrl = {
    type: "github",
    namespace: "denoland",
    name: "deno",
    version: `v${deno}`,
  } as const;
  if (packedBy === "deno compile") {
    const description = "Runs kmeter's code; Deno's base binary for compiled programs (denort)";
    return { description, packageUrl, hashes: {} };
  }
  const description = "Runs kmeter's code; of its file only the headers were changed";
  const name = `@deno/linux-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}-glibc`;
  const lock = await readJson(`${checkout}/scripts/deno-runtime/package-lock.json`);
  const locked = lock.packages[`node_modules/${name}`];
  // It was a Deno on PATH.
  if (locked.version !== deno) return { description, packageUrl, hashes: {} };
  return { description, packageUrl: npmUrl(name, deno), hashes: digestOf(locked.integrity) };
}

/** @param crate `NAME VERSION`. */
function cratePart(crate: string): Part {
  const [name, version] = crate.split(" ");
  return {
    kind: "library",
    name,
    version,
    description: "Rust crate, in deno",
    packageUrl: { type: "cargo", name, version },
    hashes: {},
  };
}

/** What scripts/build_libbpf links. */
async function libraryParts(checkout: string): Promise<Part[]> {
  const script = await Deno.readTextFile(`${checkout}/scripts/build_libbpf`);
  const version = constantOf(script, "VERSION");
  const archives = await runCommand([`${checkout}/scripts/build_libbpf`, "--archives"]);
  return [
    {
      kind: "library",
      name: "libbpf",
      version,
      description: "Linked into libbpf.so with Debian's patch in scripts/libbpf",
      license: "BSD-2-Clause",
      packageUrl: { type: "github", namespace: "libbpf", name: "libbpf", version: `v${version}` },
      hashes: { "SHA-256": constantOf(script, "SHA256") },
    },
    ...await Promise.all(archives.trim().split("\n").map(debianPart)),
  ];
}

/** What is known of the archives that scripts/build_libbpf links, by their file names. */
const ARCHIVES: Readonly<Record<string, Pick<Part, "name" | "description" | "license">>> = {
  "libelf.a": {
    name: "elfutils",
    description: "Its libelf is linked into libbpf.so, but for elf_error.o",
    license: "LGPL-3.0-or-later",
  },
  "libz.a": { name: "zlib", description: "Linked into libbpf.so", license: "Zlib" },
  "libzstd.a": { name: "zstd", description: "Linked into libbpf.so", license: "BSD-3-Clause" },
};

function constantOf(script: string, name: string): string {
  const value = new RegExp(`^readonly ${name}=(\\S+)$`, "m").exec(script)?.[1];
  if (value === undefined) throw new Error(`scripts/build_libbpf sets no ${name}`);
  return value;
}

/** A static archive of a Debian package. */
async function debianPart(archive: string): Promise<Part> {
  const part = ARCHIVES[archive.replace(/^.*\//, "")];
  if (part === undefined) throw new Error(`Nothing is known of ${archive}, which is linked`);
  const path = await Deno.realPath(archive);
  const owner = (await runCommand(["dpkg-query", "--search", path])).replace(/: .*/s, "");
  const [name, version, arch] = (await runCommand([
    ...["dpkg-query", "--show", "--showformat", "${Package} ${Version} ${Architecture}"],
    owner,
  ])).split(" ");
  const qualifiers = { arch, distro: await distribution() };
  return {
    kind: "library",
    ...part,
    version,
    packageUrl: { type: "deb", namespace: "debian", name, version, qualifiers },
    hashes: { "SHA-256": await sha256Of(path) },
  };
}

/** As packages' addresses name it: `debian-12`. */
async function distribution(): Promise<string> {
  const text = await Deno.readTextFile("/etc/os-release");
  const [id, version] = ["ID", "VERSION_ID"]
    .map((name) => new RegExp(`^${name}="?([^"\n]*)`, "m").exec(text)?.[1]);
  return version === undefined ? `${id}` : `${id}-${version}`;
}

/** npm packages of which modules are in the program. */
async function npmParts(checkout: string): Promise<Part[]> {
  const { npm } = await readJson(`${checkout}/deno.lock`);
  const parts: Part[] = [];
  for (const id of await bundledPackages(checkout)) {
    const [name, version] = [id.slice(0, id.lastIndexOf("@")), id.slice(id.lastIndexOf("@") + 1)];
    const { license, description } = await readManifest(name, version);
    parts.push({
      kind: "library",
      name,
      version,
      description,
      license,
      packageUrl: npmUrl(name, version),
      hashes: digestOf(npm[id].integrity),
    });
  }
  return parts;
}

async function bundledPackages(checkout: string): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "kmeter-release-" });
  try {
    await bundleModules({ checkout, folder, nameOf: (file) => file });
    const packages = packagesIn(readBundle(folder));
    if (packages.length === 0) throw new Error("The bundle does not name its packages");
    return packages;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** package.json, in the cache of whichever registry it came from. */
async function readManifest(
  name: string,
  version: string,
): Promise<{ license: string; description: string }> {
  const cache = await findNpmCache();
  for (const registry of Deno.readDirSync(cache)) {
    try {
      const { license, description = name } = await readJson(
        `${cache}/${registry.name}/${name}/${version}/package.json`,
      );
      if (typeof license !== "string") throw new Error(`${name} ${version} tells no licence`);
      return { license, description };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error(`${name} ${version} is not in ${cache}`);
}

function npmUrl(id: string, version: string): PackageUrl {
  const slash = id.indexOf("/");
  return slash < 0
    ? { type: "npm", name: id, version }
    : { type: "npm", namespace: id.slice(0, slash), name: id.slice(slash + 1), version };
}

/** Of `sha512-BASE64`. */
function digestOf(integrity: string): { "SHA-512": string } {
  if (!integrity.startsWith("sha512-")) throw new Error(`${integrity} is no SHA-512`);
  return { "SHA-512": Uint8Array.fromBase64(integrity.slice(7)).toHex() };
}

/** The built-in gadgets' objects. */
async function gadgetParts({ checkout, version }: Release): Promise<Part[]> {
  const parts: Part[] = [];
  for (const { name } of Deno.readDirSync(`${checkout}/gadgets`)) {
    if (!exists(`${checkout}/gadgets/${name}/gadget.yaml`)) continue;
    const object = `gadgets/${name}/program.bpf.o`;
    const source = await Deno.readTextFile(`${checkout}/gadgets/${name}/program.bpf.c`);
    const license = /^\/\/ SPDX-License-Identifier: (.+)$/m.exec(source)?.[1];
    if (license === undefined) throw new Error(`gadgets/${name}/program.bpf.c names no licence`);
    parts.push({
      kind: "file",
      name: object,
      version,
      description: `Gadget ${name}`,
      license: license.replace("GPL-2.0 ", "GPL-2.0-only "),
      hashes: { "SHA-256": await sha256Of(`${checkout}/${object}`) },
    });
  }
  return parts;
}

async function buildInputs(checkout: string): Promise<Record<string, string>> {
  const compiler = await runCommand([
    "bash",
    "-c",
    `source "$1/scripts/toolchain.bash" && "$(find_clang)" --version | head -n 1`,
    "bash",
    checkout,
  ]);
  return {
    "cc": (await runCommand(["gcc", "--version"])).split("\n")[0],
    "clang": compiler.trim(),
    // The kernel's types are those of the machine that builds.
    "vmlinux.h:sha256": await sha256Of(`${checkout}/gadgets/include/vmlinux.h`),
  };
}

async function readJson(path: string) {
  return JSON.parse(await Deno.readTextFile(path));
}
