/** Everything that is packed has its licence among those that `kmeter version --licenses` prints. */

// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { describeCrates, findCrates } from "../../../scripts/gen_deno_crates.ts";
import { licenseTexts } from "../../../src/cli/licenses.ts";

const CHECKOUT = decodeURIComponent(new URL("../../..", import.meta.url).pathname);
/** The program's entries: its main module, and those of its workers. */
const ENTRIES = [
  "main.ts",
  "src/engine/ingest_worker.ts",
  "src/export/_gzip_worker.ts",
  "src/export/otlp/_otlp_worker.ts",
];

interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** Ids: keys of `npmPackages`. */
  readonly dependencies: readonly string[];
}

/** Part of what `deno info --json` prints. */
interface PackageInfo {
  readonly modules: readonly { readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<Record<string, NpmPackage>>;
}

/** npm packages that an entry imports, directly or not. */
async function packagesOf(entry: string): Promise<NpmPackage[]> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--frozen", entry],
    cwd: CHECKOUT,
    stderr: "null",
  }).output();
  assert(success, entry);
  // `npmPackages` are all of the lock file, those of tests too.
  const { modules, npmPackages } = JSON.parse(new TextDecoder().decode(stdout)) as PackageInfo;
  const found = new Map<string, NpmPackage>();
  const visit = (id: string | undefined) => {
    if (id === undefined || found.has(id)) return;
    found.set(id, npmPackages[id]);
    npmPackages[id].dependencies.forEach(visit);
  };
  for (const { npmPackage } of modules) visit(npmPackage);
  return [...found.values()];
}

function licenseFile(name: string): string {
  return Deno.readTextFileSync(`${CHECKOUT}scripts/licenses/${name}.txt`);
}

Deno.test("every npm package of the program has its licence, with its version", async () => {
  const packages = (await Promise.all(ENTRIES.map(packagesOf))).flat();
  assert(packages.some(({ name }) => name === "prom-client"), JSON.stringify(packages));
  for (const { name, version } of packages) {
    const text = licenseFile(name.replace(/^@/, "").replace("/", "-"));
    assert(text.startsWith(`${name} ${version}\nhttps://`), `${name} ${version}:\n${text}`);
  }
});

Deno.test("the licence of Deno is that of the versions which are packed", () => {
  const { optionalDependencies } = JSON.parse(
    Deno.readTextFileSync(`${CHECKOUT}scripts/deno-runtime/package.json`),
  );
  const text = licenseFile("deno");
  for (const [name, version] of Object.entries(optionalDependencies)) {
    assert(text.includes(`"${name}"`) && text.includes(`Deno ${version}`), `${name} ${version}`);
  }
});

Deno.test("the crates of Deno are found by the source paths in its program", () => {
  const program = new TextEncoder().encode(
    "\0/home/me/.cargo/registry/src/index-0f/tokio-1.47.1/src/lib.rs\0" +
      "/home/me/.cargo/registry/src/index-0f/ash-0.38.0+1.3.281/src/a.rs/rustc/library/b.rs" +
      "/home/me/.cargo/registry/src/index-0f/ash-0.38.0+1.3.281/src/c.rs" +
      "/home/me/.cargo/registry/src/index-0f/h2-0.4.7/src/d.rs",
  );
  assertEquals(findCrates(program), ["ash 0.38.0+1.3.281", "h2 0.4.7", "tokio 1.47.1"]);
  assert(describeCrates("9.9.9", ["a 1.0.0", "b 2.0.0"]).endsWith("\n\na 1.0.0, b 2.0.0\n"));
});

Deno.test("the list of Deno's crates is that of the Deno for x86-64", () => {
  const [, version] = /^Rust crates of Deno (\S+)\n/.exec(licenseFile("deno-crates")) ?? [];
  assert(licenseFile("deno").startsWith(`Deno ${version}\n`), version);
});

Deno.test("a licence that another one names in its first lines is there", () => {
  const all = licenseTexts();
  const files = [...all.matchAll(/^==== (\S+?)(?:: kmeter)?$/gm)].map(([, file]) => file);
  assertEquals(files[0], "LICENSE");
  const texts = all.split(/^==== .*\n\n/m).slice(1);
  assertEquals(texts.length, files.length);
  let namedCount = 0;
  for (const text of texts) {
    assert(text.trim().length > 80, text);
    const introduction = text.split("\n\n").slice(0, 5).join("\n\n");
    for (const [, file] of introduction.matchAll(/(?<![\w/.-])([a-z][\w-]*\.txt)\b/g)) {
      namedCount++;
      assert(files.includes(file), `${file} in:\n${introduction}`);
    }
  }
  assert(namedCount >= 5, `${namedCount} names`);
});
