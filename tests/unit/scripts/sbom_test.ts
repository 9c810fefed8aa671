/** SBOMs of made-up contents, and what is found to be in this checkout's program. */

// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { sha256Of } from "../../../scripts/dist/checksums.ts";
import { collectContents } from "../../../scripts/dist/collect_contents.ts";
import { formatSbom } from "../../../scripts/dist/sbom.ts";
import { type Contents, type Part, partId } from "../../../scripts/sbom/contents.ts";

const CHECKOUT = decodeURIComponent(new URL("../../..", import.meta.url).pathname).replace(
  /\/$/,
  "",
);
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const INNER: Part = {
  kind: "library",
  name: "inner",
  version: "1:2.0-1",
  description: "in outer",
  license: "Zlib",
  packageUrl: {
    type: "deb",
    namespace: "debian",
    name: "libinner-dev",
    version: "1:2.0-1",
    qualifiers: { arch: "amd64", distro: "debian-12" },
  },
  hashes: {},
};
const OUTER: Part = {
  kind: "framework",
  name: "outer",
  version: "3",
  description: "holds inner",
  license: "GPL-2.0-only OR Apache-2.0",
  packageUrl: { type: "npm", namespace: "@scope", name: "outer", version: "3" },
  hashes: { "SHA-256": EMPTY_SHA256 },
  holds: ["inner@1:2.0-1"],
};
const CONTENTS: Contents = {
  program: {
    kind: "application",
    name: "kmeter",
    version: "1.2.3",
    description: "the program",
    license: "Apache-2.0",
    hashes: { "SHA-256": EMPTY_SHA256 },
  },
  parts: [OUTER, INNER],
  time: 1_700_000_000,
  buildInputs: { clang: "19" },
};

Deno.test("an SBOM names the parts, their packages and what holds what", async () => {
  const bom = JSON.parse(await formatSbom(CONTENTS));
  assertEquals(`${bom.bomFormat} ${bom.specVersion}`, "CycloneDX 1.6");
  assertMatch(
    bom.serialNumber,
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-/,
  );
  assertEquals(bom.metadata.timestamp, "2023-11-14T22:13:20.000Z");
  assertEquals(bom.metadata.component.hashes, [{ alg: "SHA-256", content: EMPTY_SHA256 }]);
  assertEquals(bom.metadata.properties, [{ name: "kmeter:build:clang", value: "19" }]);
  const inner = "pkg:deb/debian/libinner-dev@1:2.0-1?arch=amd64&distro=debian-12";
  const outer = "pkg:npm/%40scope/outer@3";
  assertEquals(bom.components.map(({ purl }: { purl: string }) => purl), [inner, outer]);
  assertEquals(bom.dependencies, [
    { ref: "kmeter@1.2.3", dependsOn: [outer] },
    { ref: inner },
    { ref: outer, dependsOn: [inner] },
  ]);
});

Deno.test("equal contents give an equal SBOM, other contents another serial number", async () => {
  const first = await formatSbom(CONTENTS);
  assertEquals(await formatSbom({ ...CONTENTS, parts: [INNER, OUTER] }), first);
  const other = await formatSbom({
    ...CONTENTS,
    parts: [OUTER, { ...INNER, description: "other" }],
  });
  assertNotEquals(JSON.parse(other).serialNumber, JSON.parse(first).serialNumber);
});

const FAULTS = [
  {
    fault: "a digest of the wrong length",
    part: { hashes: { "SHA-256": "abc" } },
    message: "64 hex",
  },
  { fault: "a part that is not there", part: { holds: ["nothing@1"] }, message: '"nothing@1"' },
  { fault: "a CPE that is none", part: { cpe: "outer" }, message: "CPE" },
  // Only the schema knows how long one may be.
  {
    fault: "an endless version",
    part: { version: "9".repeat(2000) },
    message: "The schema objects",
  },
];

for (const { fault, part, message } of FAULTS) {
  Deno.test(`contents with ${fault} make no SBOM`, async () => {
    const parts = [{ ...OUTER, ...part }, INNER];
    await assertRejects(() => formatSbom({ ...CONTENTS, parts }), Error, message);
  });
}

const NAME = "the SBOM of this checkout names all that is linked, bundled and packed";
const reason = await findObstacle();
if (reason !== undefined) {
  Deno.stdout.writeSync(new TextEncoder().encode(`skip: ${NAME}: ${reason}\n`));
}

/** In the place of 90 MB: what a Deno tells of three crates, two of which have a library inside. */
const PROGRAM = ["some-crate-1.2.3", "libffi-5.1.0", "dbus-0.9.7"]
  .map((crate) => `\0/home/x/registry/src/index/${crate}/src/lib.rs\0`).join("") +
  "\0libdbus 1.14.4\0icudt77l/de.res\0";

Deno.test({
  name: NAME,
  ignore: reason !== undefined,
  async fn() {
    const program = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(program, PROGRAM);
      const release = { checkout: CHECKOUT, program, version: "1.2.3", time: 1_700_000_000 };
      const contents = await collectContents({ ...release, packedBy: "fusing" });
      assertEquals(contents.program.hashes, { "SHA-256": await sha256Of(program) });
      const names = contents.parts.map(({ name }) => name);
      const objects = names.filter((name) => name.startsWith("gadgets/")).sort();
      assertEquals(objects, await builtinObjects());
      const crates = ["dbus", "libffi", "some-crate"];
      const archives = await linkedArchives();
      assertEquals(
        names.filter((name) => !name.startsWith("gadgets/")),
        [
          ...["deno", ...crates, "v8", "icu", "zlib", "dbus", "libffi"],
          ...["libbpf", ...archives, "bcryptjs", "deno-std", "prom-client"],
        ],
      );
      const libraries = contents.parts.filter(({ description }) =>
        description.startsWith("C library")
      );
      assertEquals(libraries.map(partId), ["icu@77", "zlib", "dbus@1.14.4", "libffi"]);
      const bom = JSON.parse(await formatSbom(contents));
      assertEquals(bom.components.length, names.length);
      const { dependsOn } = bom.dependencies.find(({ ref }: { ref: string }) =>
        ref === "pkg:cargo/libffi@5.1.0"
      );
      assertEquals(dependsOn, ["libffi"]);

      const [runtime] = contents.parts;
      assertEquals(runtime.version, Deno.version.deno);
      assertMatch(runtime.description, /only the headers were changed/);
      // The file that `deno compile` takes is not npm's.
      const { parts: [compiled] } = await collectContents({ ...release, packedBy: "deno compile" });
      assertEquals(compiled.hashes, {});
      assertEquals(compiled.packageUrl?.type, "github");
      assertMatch(compiled.description, /base binary for compiled programs/);
    } finally {
      await Deno.remove(program);
    }
  },
});

/** Names of the parts that scripts/build_libbpf links. */
async function linkedArchives(): Promise<string[]> {
  const { stdout } = await new Deno.Command(`${CHECKOUT}/scripts/build_libbpf`, {
    args: ["--archives"],
  }).output();
  const names: Record<string, string> = { "libelf.a": "elfutils", "libz.a": "zlib" };
  return new TextDecoder().decode(stdout).trim().split("\n")
    .map((path) => names[path.replace(/^.*\//, "")] ?? "zstd");
}

async function builtinObjects(): Promise<string[]> {
  const { stdout } = await new Deno.Command("git", {
    args: ["-c", `safe.directory=${CHECKOUT}`, "ls-files", "gadgets/*/gadget.yaml"],
    cwd: CHECKOUT,
  }).output();
  return new TextDecoder().decode(stdout).trim().split("\n")
    .map((name) => name.replace("gadget.yaml", "program.bpf.o"));
}

/** Why it cannot be looked at here; undefined if it can. */
async function findObstacle(): Promise<string | undefined> {
  for (const archive of ["libelf.a", "libz.a"]) {
    try {
      const args = [`-print-file-name=${archive}`];
      const { stdout } = await new Deno.Command("gcc", { args }).output();
      const path = new TextDecoder().decode(stdout).trim();
      if (!path.startsWith("/")) return `no ${archive}`;
      const owner = await new Deno.Command("dpkg-query", {
        args: ["-S", await Deno.realPath(path)],
      })
        .output();
      if (!owner.success) return `${archive} is of no Debian package`;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "no gcc or no dpkg-query";
      throw error;
    }
  }
  return undefined;
}
