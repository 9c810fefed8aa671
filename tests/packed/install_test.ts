/** `scripts/install` into prefixes of its own: what it puts there, what it leaves alone, what it takes away. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { testWith } from "../e2e/cases.ts";
import { CHECKOUT } from "../e2e/kmeter_command.ts";
import { ChildProcess, type Outcome, runTool } from "../e2e/kmeter_process.ts";
import { Sandbox } from "../e2e/sandbox.ts";

const BASH = "/usr/bin/bash";

const PROGRAM = "bin/kmeter";
const PAPERS = [
  "share/bash-completion/completions/kmeter",
  "share/fish/vendor_completions.d/kmeter.fish",
  "share/man/man1/kmeter.1.gz",
  "share/zsh/site-functions/_kmeter",
];
const CONFIG = "etc/default/kmeter";
const UNIT = "lib/systemd/system/kmeter.service";
const MANIFEST = "share/kmeter/installed";

/** Where a unit can start something; it is written below a sandbox. */
const PREFIX = "/opt/stand-in";

/** A folder as the packer leaves it, with a script in the place of 98 MB. */
class StandIn implements Disposable {
  readonly #sandbox = new Sandbox();
  readonly dist = this.#sandbox.path("dist");
  /** DESTDIR of all installations. */
  readonly root = this.#sandbox.path("root");
  readonly prefix = `${this.root}${PREFIX}`;

  constructor() {
    this.write("kmeter", "#!/bin/sh\necho stand-in\n");
    for (const name of ["kmeter.1", "kmeter.bash", "kmeter.zsh", "kmeter.fish"]) {
      this.write(name, `${name}\n`);
    }
  }

  write(name: string, content: string): void {
    this.#sandbox.write(`dist/${name}`, content);
  }

  /** Writes below the prefix, as its user would. */
  edit(name: string, content: string): void {
    this.#sandbox.write(`root${PREFIX}/${name}`, content);
  }

  read(name: string): string {
    return Deno.readTextFileSync(`${this.prefix}/${name}`);
  }

  /** Runs scripts/install on the prefix, or another one if the arguments say so. @returns what it printed. */
  async install(...args: readonly string[]): Promise<string> {
    const { stdout, stderr } = await runTool([
      ...[`${CHECKOUT}/scripts/install`, "--from", this.dist, "--prefix", PREFIX],
      ...args,
    ], { env: { DESTDIR: this.root } });
    assertEquals(stderr, "");
    return stdout;
  }

  [Symbol.dispose](): void {
    this.#sandbox[Symbol.dispose]();
  }
}

/** Files below a folder, from it on; none where there is no folder. */
function filesUnder(folder: string): string[] {
  const files: string[] = [];
  const walk = (path: string): void => {
    for (const { name, isDirectory } of Deno.readDirSync(`${folder}/${path}`)) {
      if (isDirectory) walk(`${path}${name}/`);
      else files.push(path + name);
    }
  };
  try {
    walk("");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return files.sort();
}

/** A refused command line. */
async function refusal(args: readonly string[]): Promise<Outcome> {
  await using child = new ChildProcess([`${CHECKOUT}/scripts/install`, ...args]);
  return await child.finish();
}

testWith(
  "an installation has the program, its papers, the unit and its configuration",
  [BASH],
  async () => {
    using standIn = new StandIn();
    const printed = await standIn.install();
    const files = [PROGRAM, ...PAPERS, CONFIG, UNIT].sort();
    assertEquals(filesUnder(standIn.prefix), [...files, MANIFEST].sort());
    for (const name of files) assertMatch(printed, new RegExp(`^installed .*/${name}$`, "m"));
    assertEquals(Deno.statSync(`${standIn.prefix}/${PROGRAM}`).mode! & 0o7777, 0o755);
    assertEquals(Deno.statSync(`${standIn.prefix}/${UNIT}`).mode! & 0o7777, 0o644);
    const { stdout } = await runTool([
      "gzip",
      "-dc",
      `${standIn.prefix}/share/man/man1/kmeter.1.gz`,
    ]);
    assertEquals(stdout, "kmeter.1\n");
    assertMatch(standIn.read(UNIT), new RegExp(`^ExecStart=${PREFIX}/bin/kmeter run`, "m"));
    assertMatch(
      standIn.read(UNIT),
      new RegExp(`^EnvironmentFile=-${PREFIX}/${CONFIG}$`, "m"),
    );
    assertMatch(standIn.read(UNIT), new RegExp(`^ExecPaths=${PREFIX}/bin/kmeter `, "m"));
  },
);

testWith("a second installation changes and prints nothing", [BASH], async () => {
  using standIn = new StandIn();
  await standIn.install();
  const before = Deno.statSync(`${standIn.prefix}/${PROGRAM}`).ino;
  assertEquals(await standIn.install(), "");
  assertEquals(Deno.statSync(`${standIn.prefix}/${PROGRAM}`).ino, before);
});

testWith("an upgrade replaces what is new and keeps the configuration", [BASH], async () => {
  using standIn = new StandIn();
  await standIn.install();
  standIn.edit(CONFIG, "KMETER_GADGET=trace_tcp\n");
  standIn.write("kmeter", "#!/bin/sh\necho newer\n");
  const printed = await standIn.install();
  assertMatch(printed, /^installed \S*\/bin\/kmeter\n$/);
  assertEquals(standIn.read(PROGRAM), "#!/bin/sh\necho newer\n");
  assertEquals(standIn.read(CONFIG), "KMETER_GADGET=trace_tcp\n");
});

testWith("an uninstallation leaves nothing of a fresh installation", [BASH], async () => {
  using standIn = new StandIn();
  await standIn.install();
  const printed = await standIn.install("--uninstall");
  assertEquals(printed.match(/^removed /gm)?.length, PAPERS.length + 3);
  assertEquals(filesUnder(standIn.prefix), []);
  assertEquals([...Deno.readDirSync(standIn.root)], []);
  assertEquals(await standIn.install("--uninstall"), "");
});

testWith("an uninstallation leaves what others have put there or changed", [BASH], async () => {
  using standIn = new StandIn();
  standIn.edit("bin/other", "");
  await standIn.install();
  standIn.edit(CONFIG, "KMETER_GADGET=trace_tcp\n");
  assertMatch(await standIn.install("--uninstall"), /^left \S*\/etc\/default\/kmeter: changed/m);
  assertEquals(filesUnder(standIn.prefix), ["bin/other", CONFIG]);
});

testWith(
  "a configuration that was there before is the user's, even if it is the same",
  [BASH],
  async () => {
    using standIn = new StandIn();
    const shipped = Deno.readTextFileSync(`${CHECKOUT}/scripts/packaging/kmeter.default`);
    standIn.edit(CONFIG, shipped);
    await standIn.install();
    await standIn.install("--uninstall");
    assertEquals(filesUnder(standIn.prefix), [CONFIG]);
  },
);

testWith("--no-unit leaves out the unit and its configuration", [BASH], async () => {
  using standIn = new StandIn();
  await standIn.install("--no-unit");
  assertEquals(filesUnder(standIn.prefix), [PROGRAM, ...PAPERS, MANIFEST].sort());
  await standIn.install("--uninstall");
  assertEquals(filesUnder(standIn.prefix), []);
});

for (const prefix of ["/tmp/p", "/var/tmp/p", "/home/me/.local", "/root/p"]) {
  testWith(
    `below ${prefix}, which the service does not see, there is no unit`,
    [BASH],
    async () => {
      using standIn = new StandIn();
      const printed = await standIn.install("--prefix", prefix);
      assertMatch(printed, new RegExp(`^no systemd unit: .* ${prefix}, `, "m"));
      const files = filesUnder(`${standIn.root}${prefix}`);
      assertEquals(files, [PROGRAM, ...PAPERS, MANIFEST].sort());
      assertEquals(await standIn.install("--prefix", prefix), "");
      assertEquals(/systemd/.test(await standIn.install("--prefix", prefix, "--no-unit")), false);
    },
  );
}

testWith("DESTDIR goes before every path that is written and into none", [BASH], async () => {
  using standIn = new StandIn();
  await standIn.install("--prefix", "/usr");
  const usr = [PROGRAM, ...PAPERS, UNIT, MANIFEST].map((name) => `usr/${name}`);
  assertEquals(filesUnder(standIn.root), [...usr, CONFIG].sort());
  const readUsr = (name: string) => Deno.readTextFileSync(`${standIn.root}/usr/${name}`);
  const unit = Deno.readTextFileSync(`${CHECKOUT}/scripts/packaging/kmeter.service`);
  assertEquals(readUsr(UNIT), unit);
  assertEquals(readUsr(MANIFEST).includes(standIn.root), false);
  await standIn.install("--prefix", "/usr", "--uninstall");
  assertEquals(filesUnder(standIn.root), []);
});

for (
  const [name, args, stderr] of [
    ["an unknown argument", ["--prefx"], /unknown argument "--prefx"/],
    ["a prefix that is not absolute", ["--prefix", "here"], /cannot install to the prefix "here"/],
    [
      "a prefix that systemd would split",
      ["--prefix=/a b"],
      /cannot install to the prefix "\/a b"/,
    ],
    ["an option without its folder", ["--from"], /--from needs a folder/],
  ] as const
) {
  testWith(`scripts/install refuses ${name}`, [BASH], async () => {
    const outcome = await refusal(args);
    assertEquals([outcome.code, outcome.stdout], [2, ""]);
    assertMatch(outcome.stderr, stderr);
    assertMatch(outcome.stderr, /^hint: /m);
  });
}

testWith("scripts/install without a packed program says how to make one", [BASH], async () => {
  using sandbox = new Sandbox();
  const outcome = await refusal(["--from", sandbox.folder, "--prefix", sandbox.path("prefix")]);
  assertEquals([outcome.code, outcome.stdout], [1, ""]);
  assertMatch(outcome.stderr, /^error: no program .*\nhint: make it by: scripts\/build_binary\n$/);
  assertEquals(filesUnder(sandbox.folder), []);
});
