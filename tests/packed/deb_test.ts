/** `scripts/packaging/build_deb`: what the Debian package has, needs, and does to a system. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { testWith } from "../e2e/cases.ts";
import { CHECKOUT } from "../e2e/kmeter_command.ts";
import { ChildProcess, type Outcome, runTool } from "../e2e/kmeter_process.ts";
import type { Requirement } from "../e2e/requirements.ts";
import { Sandbox } from "../e2e/sandbox.ts";

const PACKAGING = `${CHECKOUT}/scripts/packaging`;
const TOOLS: readonly Requirement[] = ["/usr/bin/dh", "/usr/bin/lintian", "/usr/bin/ld"];

/** The program in the place of 98 MB: it says its version, and holds what looks like a library of a newer libc. */
const PROGRAM = `
int puts(const char *text);
void exit(int status);
const char packed[] __attribute__((used)) = "GLIBC_2.35";
__attribute__((force_align_arg_pointer)) void _start(void) {
	puts("kmeter 0.2.0-3-g1c9347f30dab\\nlibbpf v1.5 (shipped)");
	exit(0);
}
`;
const VERSION = "0.2.0+3.g1c9347f30dab";
const MAN_PAGE = `.TH KMETER 1
.SH NAME
kmeter \\- metrics of the kernel by eBPF gadgets
`;

/** Files of the package, but for its control files. */
const FILES = [
  "etc/default/kmeter",
  "usr/bin/kmeter",
  "usr/lib/systemd/system/kmeter.service",
  "usr/share/bash-completion/completions/kmeter",
  "usr/share/doc/kmeter/changelog.gz",
  "usr/share/doc/kmeter/copyright",
  "usr/share/doc/kmeter/operators.md.gz",
  "usr/share/fish/vendor_completions.d/kmeter.fish",
  "usr/share/man/man1/kmeter.1.gz",
  "usr/share/zsh/vendor-completions/_kmeter",
];

/** What Debian's tools remember of the unit. */
const UNIT_STATE = "var/lib/systemd/deb-systemd-helper-enabled/kmeter.service.dsh-also";

/** A folder as the packer leaves it. @returns the folder. */
async function makeDist(sandbox: Sandbox): Promise<string> {
  const source = sandbox.write("stand_in.c", PROGRAM);
  const program = sandbox.write("dist/kmeter", "");
  const findClang = `source ${CHECKOUT}/scripts/toolchain.bash && find_clang`;
  const clang = (await runTool(["bash", "-c", findClang])).stdout.trim();
  const [libc] = [...Deno.readTextFileSync("/proc/self/maps").matchAll(/\/\S+\/libc\.so\.6/g)][0];
  await runTool([
    ...[clang, "-fPIE", "-pie", "-fno-stack-protector", "-nostartfiles", "-nodefaultlibs", "-s"],
    ...["-Wl,-z,now", source, libc, "-o", program],
  ]);
  sandbox.write("dist/kmeter.1", MAN_PAGE);
  for (const shell of ["bash", "zsh", "fish"]) {
    sandbox.write(`dist/kmeter.${shell}`, `# ${shell}\n`);
  }
  return sandbox.path("dist");
}

/** Builds the package of a folder. @returns its path. */
async function buildPackage(dist: string): Promise<string> {
  const { stdout, stderr } = await runTool([`${PACKAGING}/build_deb`, "--from", dist]);
  assertEquals(stderr, "");
  assertEquals(stdout, `${dist}/kmeter_${VERSION}_amd64.deb\n`);
  return stdout.trim();
}

testWith("a Debian package is clean, complete, and the same when built again", TOOLS, async () => {
  using sandbox = new Sandbox();
  const dist = await makeDist(sandbox);
  const deb = await buildPackage(dist);
  await runTool(["lintian", "--fail-on", "error,warning", "--allow-root", deb]);

  const { stdout: listed } = await runTool(["dpkg-deb", "--contents", deb]);
  const rows = [...listed.matchAll(/^-(\S+) (\S+) .* \.\/(\S+)$/gm)];
  const names = [...FILES, "usr/share/lintian/overrides/kmeter"].sort();
  assertEquals(rows.map(([, , , name]) => name).sort(), names);
  assertEquals(new Set(rows.map(([, , owner]) => owner)), new Set(["root/root"]));
  const executable = rows.filter(([, mode]) => mode === "rwxr-xr-x").map(([, , , name]) => name);
  assertEquals(executable, ["usr/bin/kmeter"]);

  const fields = "${Version}|${Architecture}|${Depends}";
  const { stdout: control } = await runTool(["dpkg-deb", "--show", `--showformat=${fields}`, deb]);
  assertEquals(control, `${VERSION}|amd64|libc6 (>= 2.35)`);
  const { stdout: conffiles } = await runTool(["dpkg-deb", "--info", deb, "conffiles"]);
  assertEquals(conffiles, "/etc/default/kmeter\n");

  const first = Deno.readFileSync(deb);
  Deno.removeSync(deb);
  sandbox.write("dist/kmeter_0.1.0_amd64.deb", "of another version");
  sandbox.write("dist/other_0.1.0_amd64.deb", "a stranger's");
  await buildPackage(dist);
  assertEquals(Deno.readFileSync(deb), first);
  const packages = [...Deno.readDirSync(dist)].map(({ name }) => name).filter((name) =>
    name.endsWith(".deb")
  );
  assertEquals(packages.sort(), [`kmeter_${VERSION}_amd64.deb`, "other_0.1.0_amd64.deb"]);
});

/** A system of its own that has no more than the libraries which the package names. */
class EmptySystem {
  readonly #root: string;

  constructor(sandbox: Sandbox) {
    this.#root = sandbox.path("root");
    const installed = ["libc6 2.36", "libgcc-s1 12.2.0"].map((line) => line.split(" ")).map((
      [name, version],
    ) =>
      `Package: ${name}\nStatus: install ok installed\nMaintainer: none <none@debian.org>\n` +
      `Architecture: amd64\nVersion: ${version}\nDescription: of the test\n`
    );
    sandbox.write("root/var/lib/dpkg/status", `${installed.join("\n")}\n`);
    sandbox.write("root/var/lib/dpkg/info/format", "1\n");
    for (const name of ["libc6", "libgcc-s1"]) {
      sandbox.write(`root/var/lib/dpkg/info/${name}.list`, "");
    }
    Deno.mkdirSync(`${this.#root}/var/lib/dpkg/updates`);
  }

  /** Runs dpkg on it. Maintainer scripts run outside, where they see no systemd that they could tell. */
  async dpkg(...args: readonly string[]): Promise<void> {
    await runTool([
      ...["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /run && exec dpkg "$@"', "sh"],
      ...[`--root=${this.#root}`, "--force-script-chrootless", "--log=/dev/null", ...args],
    ]);
  }

  has(name: string): boolean {
    try {
      Deno.lstatSync(`${this.#root}/${name}`);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  append(name: string, text: string): void {
    Deno.writeTextFileSync(`${this.#root}/${name}`, text, { append: true });
  }

  /** Whether the unit starts at boot. */
  get isEnabled(): boolean {
    return this.has("etc/systemd/system/multi-user.target.wants/kmeter.service");
  }
}

testWith("a Debian package can be installed, removed and purged", ["root", ...TOOLS], async () => {
  using sandbox = new Sandbox();
  const deb = await buildPackage(await makeDist(sandbox));
  const system = new EmptySystem(sandbox);

  await system.dpkg("--install", deb);
  assertEquals(FILES.filter((name) => !system.has(name)), []);
  assertEquals(system.isEnabled, false);
  assertEquals(system.has(UNIT_STATE), true);

  // What its administrator did stays.
  system.append("etc/default/kmeter", "KMETER_GADGET=trace_tcp\n");
  await system.dpkg("--install", deb);
  await system.dpkg("--remove", "kmeter");
  assertEquals(FILES.filter(system.has, system), ["etc/default/kmeter"]);

  await system.dpkg("--purge", "kmeter");
  assertEquals(["etc", "usr", UNIT_STATE].filter(system.has, system), []);
});

/** Runs a script of the packaging that may fail. */
async function outcomeOf(script: string, ...args: readonly string[]): Promise<Outcome> {
  await using child = new ChildProcess([`${PACKAGING}/${script}`, ...args]);
  return await child.finish();
}

testWith("versions of packages sort as those of kmeter came", ["/usr/bin/dpkg"], async () => {
  const history = [
    ["0.2.0-g1c9347f30dab", "0.2.0~g1c9347f30dab"],
    ["0.2.0-rc.1", "0.2.0~rc.1"],
    ["0.2.0-rc.1-2-g1c9347f30dab", "0.2.0~rc.1+2.g1c9347f30dab"],
    ["0.2.0", "0.2.0"],
    ["0.2.0-9-g1c9347f30dab", "0.2.0+9.g1c9347f30dab"],
    ["0.2.0-9-g1c9347f30dab-dirty", "0.2.0+9.g1c9347f30dab+dirty"],
    ["0.2.0-10-g0000000f30dab", "0.2.0+10.g0000000f30dab"],
    ["0.2.1", "0.2.1"],
  ];
  for (const [version, expected] of history) {
    assertEquals((await outcomeOf("deb_version", version)).stdout, `${expected}\n`);
  }
  for (const [index, [, older]] of history.slice(0, -1).entries()) {
    await runTool(["dpkg", "--compare-versions", older, "lt", history[index + 1][1]]);
  }
});

for (
  const [name, script, args, code, stderr] of [
    ["a version that is none", "deb_version", ["checkout"], 2, /"checkout" is no version/],
    ["an unknown argument", "build_deb", ["--form"], 2, /unknown argument "--form"/],
    ["an option without its folder", "build_deb", ["--from"], 2, /--from needs a folder/],
    ["a folder without a program", "build_deb", ["--from", "/etc"], 1, /no program \/etc\/kmeter/],
  ] as const
) {
  testWith(`${script} refuses ${name}`, ["/usr/bin/dh"], async () => {
    const outcome = await outcomeOf(script, ...args);
    assertEquals([outcome.code, outcome.stdout], [code, ""]);
    assertMatch(outcome.stderr, stderr);
    assertMatch(outcome.stderr, /^hint: /m);
  });
}
