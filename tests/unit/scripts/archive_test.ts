/** Archives of releases whose program is a script. */

// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { archiveFiles, writeArchive } from "../../../scripts/dist/archive.ts";
import { formatChecksums, sha256Of } from "../../../scripts/dist/checksums.ts";
import { PAPERS, SBOM } from "../../../scripts/dist/names.ts";
import { runCommand, tryCommand } from "../../../scripts/compile/run_command.ts";

const CHECKOUT = decodeURIComponent(new URL("../../..", import.meta.url).pathname).replace(
  /\/$/,
  "",
);
const NAME = "kmeter-1.2.3-linux-x86_64";
const TIME = 1_700_000_000;

/** A dist/ with a script in the place of 98 MB. Ownership: `using`. */
class Release implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "kmeter_release_" });
  readonly dist = `${this.folder}/dist`;
  readonly archive = `${this.folder}/${NAME}.tar.zst`;
  readonly unpacked = `${this.folder}/${NAME}`;

  constructor(mode = 0o644) {
    Deno.mkdirSync(this.dist);
    for (const name of [SBOM, ...PAPERS]) {
      Deno.writeTextFileSync(`${this.dist}/${name}`, `${name}\n`, { mode });
    }
    Deno.writeTextFileSync(`${this.dist}/kmeter`, "#!/bin/sh\necho stand-in\n", { mode: 0o700 });
  }

  async pack(files = archiveFiles({ checkout: CHECKOUT, dist: this.dist })): Promise<void> {
    await writeArchive(files, { output: this.archive, folder: NAME, time: TIME, level: 1 });
  }

  async unpack(): Promise<void> {
    await runCommand(["tar", "--extract", "--file", this.archive, "--directory", this.folder]);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

const missing = ["zstd", "tar"].find((tool) => !isInstalled(tool));

/** Tests that need zstd; scripts/setup --tests installs it. */
function testArchive(name: string, fn: () => Promise<void>): void {
  if (missing !== undefined) {
    Deno.stdout.writeSync(new TextEncoder().encode(`skip: ${name}: no ${missing}\n`));
  }
  Deno.test({ name, ignore: missing !== undefined, fn });
}

function isInstalled(tool: string): boolean {
  try {
    return new Deno.Command(tool, { args: ["--version"], stdout: "null" }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("sha256sum takes a list of checksums, and finds what has changed", async () => {
  using release = new Release();
  const list = await formatChecksums(release.dist, ["kmeter.1", "kmeter"]);
  assertEquals(list.split("\n").map((line) => line.slice(66)), ["kmeter", "kmeter.1", ""]);
  Deno.writeTextFileSync(`${release.dist}/SHA256SUMS`, list);
  const check = ["sha256sum", "--check", "--strict", "SHA256SUMS"];
  assertEquals(await runCommand(check, { cwd: release.dist }), "kmeter: OK\nkmeter.1: OK\n");
  Deno.writeTextFileSync(`${release.dist}/kmeter.1`, "x", { append: true });
  await assertRejects(() => runCommand(check, { cwd: release.dist }), Error, "kmeter.1: FAILED");
});

testArchive("an archive does not depend on modes, times, or the order of its files", async () => {
  using first = new Release();
  using second = new Release(0o600);
  await first.pack();
  Deno.utimeSync(`${second.dist}/kmeter`, 5, 5);
  const files = archiveFiles({ checkout: CHECKOUT, dist: second.dist });
  await second.pack(new Map([...files].reverse()));
  assertEquals(await sha256Of(second.archive), await sha256Of(first.archive));
});

testArchive("an archive holds a release in one folder that root owns", async () => {
  using release = new Release();
  await release.pack();
  const listed = await runCommand([
    "tar",
    "--list",
    "--verbose",
    "--utc",
    "--file",
    release.archive,
  ]);
  const lines = listed.trimEnd().split("\n").map((line) => line.replace(/ +/g, " ").split(" "));
  assertEquals(
    lines.map(([mode, owner, , , , name]) => `${mode} ${owner} ${name.slice(NAME.length)}`),
    [
      "drwxr-xr-x 0/0 /",
      "-rw-r--r-- 0/0 /Dockerfile",
      "-rw-r--r-- 0/0 /LICENSE",
      "-rw-r--r-- 0/0 /README.md",
      "-rw-r--r-- 0/0 /SHA256SUMS",
      "drwxr-xr-x 0/0 /completions/",
      "-rw-r--r-- 0/0 /completions/kmeter.bash",
      "-rw-r--r-- 0/0 /completions/kmeter.fish",
      "-rw-r--r-- 0/0 /completions/kmeter.zsh",
      "-rwxr-xr-x 0/0 /install",
      "-rwxr-xr-x 0/0 /kmeter",
      "-rw-r--r-- 0/0 /kmeter.1",
      "-rw-r--r-- 0/0 /kmeter.cdx.json",
      "-rw-r--r-- 0/0 /kmeter.default",
      "-rw-r--r-- 0/0 /kmeter.service",
      "-rw-r--r-- 0/0 /kubernetes.yaml",
      "-rw-r--r-- 0/0 /operators.md",
      "-rw-r--r-- 0/0 /prometheus.yml",
    ],
  );
  assertEquals(
    new Set(lines.map((parts) => `${parts[3]} ${parts[4]}`)),
    new Set(["2023-11-14 22:13"]),
  );
});

testArchive("the checksums in an archive are those of all other files in it", async () => {
  using release = new Release();
  await release.pack();
  await release.unpack();
  const check = ["sha256sum", "--check", "--strict", "SHA256SUMS"];
  const checked = await runCommand(check, { cwd: release.unpacked });
  assertEquals(checked.match(/: OK$/gm)?.length, 15);
});

for (const args of [[], ["--from", "."]]) {
  const command = ["./install", ...args].join(" ");
  testArchive(`${command} in an unpacked archive installs what the checkout would`, async () => {
    using release = new Release();
    await release.pack();
    await release.unpack();
    const installed = `${release.folder}/installed`;
    const expected = `${release.folder}/expected`;
    await runCommand(["./install", ...args, "--prefix", "/opt/kmeter"], {
      cwd: release.unpacked,
      // No Deno is needed, nor a checkout.
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", DESTDIR: installed },
    });
    await runCommand([
      ...[`${CHECKOUT}/scripts/install`, "--from", release.dist],
      ...["--prefix", "/opt/kmeter"],
    ], { env: { DESTDIR: expected } });
    assertEquals(await runCommand(["diff", "--recursive", installed, expected]), "");
    assertEquals(await runCommand([`${installed}/opt/kmeter/bin/kmeter`]), "stand-in\n");
  });
}

for (
  const { fault, args, lost } of [
    { fault: "a wrong argument", args: ["--prefx"], lost: undefined },
    { fault: "a lost program", args: [], lost: "kmeter" },
    { fault: "a lost manual page", args: [], lost: "kmeter.1" },
  ]
) {
  testArchive(`./install with ${fault} names nothing that only a checkout has`, async () => {
    using release = new Release();
    await release.pack();
    await release.unpack();
    if (lost !== undefined) await Deno.remove(`${release.unpacked}/${lost}`);
    const { success, stderr } = await tryCommand(["./install", ...args], {
      cwd: release.unpacked,
      env: { DESTDIR: `${release.folder}/root` },
    });
    assertEquals(success, false);
    assertMatch(stderr, /^error: .*\nhint: .*\n$/);
    assertEquals(/scripts\/|deno task/.test(stderr), false, stderr);
  });
}
