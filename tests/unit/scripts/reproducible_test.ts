/**
 * Parts of the program, made in two folders, are the same bytes. scripts/compile/check_reproducible shows that of the
 * whole; libbpf.so, the entry code, the archive of assets and that of a release have tests of their own.
 */

// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { bundleModules } from "../../../scripts/compile/bundle.ts";
import { findNpmCache, namePackages, packagesIn } from "../../../scripts/compile/name_packages.ts";
import { runCommand } from "../../../scripts/compile/run_command.ts";
import { readBundle } from "../../../scripts/dist/read_bundle.ts";

const CHECKOUT = decodeURIComponent(new URL("../../..", import.meta.url).pathname).replace(
  /\/$/,
  "",
);

/** Two folders whose paths differ in all that a path has. Ownership: `using`. */
class Folders implements Disposable {
  readonly #folder = Deno.makeTempDirSync({ prefix: "kmeter_twice_" });
  readonly first = `${this.#folder}/a`;
  readonly second = `${this.#folder}/another one/${"long ".repeat(30)}/and deep`;

  /** Copies parts of the checkout to both. */
  async copy(...parts: readonly string[]): Promise<void> {
    for (const folder of [this.first, this.second]) {
      await Deno.mkdir(folder, { recursive: true });
      await runCommand(["cp", "-r", "--parents", ...parts, folder], { cwd: CHECKOUT });
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

Deno.test("a gadget is the same bytes whatever folder it is compiled in", async () => {
  using folders = new Folders();
  // The two whose bytes changed with the length of the path.
  const gadgets = ["gadgets/profile_blockio", "gadgets/trace_tcp"];
  await folders.copy(
    ...["scripts/build_gadgets", "scripts/toolchain.bash", "gadgets/include"],
    ...gadgets.map((gadget) => `${gadget}/program.bpf.c`),
  );
  await runCommand(["scripts/build_gadgets"], { cwd: folders.first });
  // From elsewhere, and with another environment.
  await runCommand([`${folders.second}/scripts/build_gadgets`], {
    cwd: "/",
    env: { LC_ALL: "C.UTF-8", TZ: "EST5", TMPDIR: folders.second, CPATH: "/usr/include" },
  });
  for (const gadget of gadgets) {
    const object = `${gadget}/program.bpf.o`;
    const bytes = await Deno.readFile(`${folders.first}/${object}`);
    assertEquals(bytes, await Deno.readFile(`${folders.second}/${object}`), object);
    const text = new TextDecoder("latin1").decode(bytes);
    assert(
      text.includes(`\0${gadget}/program.bpf.c\0`),
      "the object names its source from the checkout on",
    );
    assert(!text.includes("/tmp/"), "the object names no folder of the build");
  }
});

Deno.test("the bundle is the same bytes whatever folder it is made in", async () => {
  using folders = new Folders();
  await folders.copy("deno.json", "deno.lock", "main.ts", "src", "ffi");
  const bundles: string[] = [];
  for (const checkout of [folders.first, folders.second]) {
    const folder = `${checkout}/output`;
    await Deno.mkdir(folder);
    await bundleModules({ checkout, folder, nameOf: (file) => file });
    const code = readBundle(folder);
    for (const place of [checkout, await findNpmCache(), "../"]) {
      assert(!code.includes(`// ${place}`), `the bundle names ${place}`);
    }
    bundles.push(code);
  }
  assertEquals(bundles[0] === bundles[1], true);
  assertEquals(packagesIn(bundles[0]), ["bcryptjs@3.0.3", "deno-std@1.4.0", "prom-client@15.1.3"]);
});

for (
  const { cache, way } of [
    { cache: "/root/.cache/deno/npm", way: "../../root/.cache/deno/npm" },
    { cache: "/home/me/kmeter/.deno/npm", way: ".deno/npm" },
    { cache: "/home/me/a (b)/npm", way: "../a (b)/npm" },
  ]
) {
  Deno.test(`packages in ${cache} have the names that they have anywhere`, () => {
    const code = [
      `// ${way}/registry.example/@scope/one/1.2.3/lib/a.js`,
      `var require_a = __commonJS({ "${way}/registry.example/two/4.5.6-rc.1/b.js"(exports) {`,
      `// ${way}/registry.example/two/4.5.6-rc.1/b.js`,
      `// src/${way}/not_a_package.ts`,
    ].join("\n");
    const checkout = "/home/me/kmeter";
    const folders = { checkout: way.startsWith("../../") ? "/home/me" : checkout, npmCache: cache };
    const named = namePackages(code, folders);
    assertEquals(named.split("\n"), [
      "// npm:@scope/one/1.2.3/lib/a.js",
      'var require_a = __commonJS({ "npm:two/4.5.6-rc.1/b.js"(exports) {',
      "// npm:two/4.5.6-rc.1/b.js",
      `// src/${way}/not_a_package.ts`,
    ]);
    assertEquals(packagesIn(named), ["@scope/one@1.2.3", "two@4.5.6-rc.1"]);
  });
}
