/** The manual page and the completions: mandoc and the shells themselves say whether they are right. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { ENVIRONMENT, EXAMPLES } from "../../scripts/papers/man_page.ts";
import { writePapers } from "../../scripts/papers/papers.ts";
import { loadCommands } from "../../scripts/papers/whole_command.ts";
import { COMMANDS } from "../../src/cli/mod.ts";
import { testWith } from "./cases.ts";
import { CHECKOUT } from "./kmeter_command.ts";
import { ChildProcess, runTool, startKmeter } from "./kmeter_process.ts";
import { Sandbox } from "./sandbox.ts";

const FILES = ["kmeter.1", "kmeter.bash", "kmeter.fish", "kmeter.zsh"];
const OUTPUT_MODES = ["columns", "json", "jsonpretty", "yaml", "none"];
const COMMAND_NAMES = [...COMMANDS.map(({ name }) => name), "help"];

/** The papers, beside a gadget's folder and files to complete. Ownership: `using`. */
class Desk implements Disposable {
  readonly #sandbox = new Sandbox();
  readonly folder = this.#sandbox.path("desk");

  static async open(): Promise<Desk> {
    const desk = new Desk();
    await writePapers(desk.#sandbox.path("papers"));
    desk.#sandbox.write("desk/my_gadget/program.bpf.o", "");
    desk.#sandbox.write("desk/other.bpf.o", "");
    desk.#sandbox.write("desk/types.btf", "");
    // For zsh, functions have the names of their files.
    Deno.symlinkSync(desk.paper("kmeter.zsh"), desk.paper("_kmeter"));
    return desk;
  }

  paper(name: string): string {
    return this.#sandbox.path(`papers/${name}`);
  }

  read(name: string): string {
    return Deno.readTextFileSync(this.paper(name));
  }

  [Symbol.dispose](): void {
    this.#sandbox[Symbol.dispose]();
  }
}

/** What a shell offers for the last word of each line. */
type Complete = (desk: Desk, lines: readonly string[]) => Promise<string[][]>;

/** Runs a shell in the desk's folder. @returns the lines it printed. */
async function linesOf(desk: Desk, command: readonly string[]): Promise<string[]> {
  const options = { cwd: desk.folder, env: { HOME: desk.folder } };
  const { stdout, stderr } = await runTool(command, options);
  assertEquals(stderr, "");
  return stdout.split("\n").filter((line) => line !== "");
}

const completeInBash: Complete = (desk, lines) =>
  Promise.all(lines.map((line) => {
    const script = 'source "$1"; COMP_WORDS=("${@:2}"); COMP_CWORD=$(($# - 2)); _kmeter; ' +
      'printf "%s\\n" "${COMPREPLY[@]}"';
    // Bash splits at "=" too, and has no empty word behind it.
    const words = line.split(" ").flatMap((word) =>
      word.endsWith("=") ? [word.slice(0, -1), "="] : word
    );
    const command = ["bash", "--norc", "-c", script, "-", desk.paper("kmeter.bash"), ...words];
    return linesOf(desk, command);
  }));

const completeInFish: Complete = (desk, lines) =>
  Promise.all(lines.map(async (line) => {
    const script = "source $argv[1]; complete -C $argv[2]";
    const command = ["fish", "--no-config", "-c", script, desk.paper("kmeter.fish"), line];
    return (await linesOf(desk, command)).map((offer) => offer.split("\t")[0]);
  }));

/** zsh completes only in an editor: this one starts in a pseudo terminal, notes what it would offer, and ends. */
const ZSH_DRIVER = String.raw`
zmodload zsh/zpty
zpty session zsh --no-globalrcs -i
while zpty -r session output; do :; done
`;

/** The .zshrc of that editor. */
const ZSH_SETUP = String.raw`
fpath=($PAPERS $fpath)
autoload -Uz compinit
compinit -u -D
compadd() {
  local -a offers
  builtin compadd -O offers "$@"
  print -rl -- $offers >>$OFFERS
  builtin compadd "$@"
}
list() {
  _main_complete
  compstate[list]= compstate[insert]=
}
zle -C list list-choices list
zle-line-init() {
  local line
  for line in \${(f)LINES_TO_COMPLETE}; do
    BUFFER=$line CURSOR=$#line
    zle list
    print -r -- "--- $line" >>$OFFERS
  done
  BUFFER=exit
  zle accept-line
}
zle -N zle-line-init
`.replaceAll("\\$", "$");

const completeInZsh: Complete = async (desk, lines) => {
  using sandbox = new Sandbox();
  sandbox.write(".zshrc", ZSH_SETUP);
  const env = {
    ZDOTDIR: sandbox.folder,
    PAPERS: desk.paper("").replace(/\/$/, ""),
    OFFERS: sandbox.path("offers"),
    LINES_TO_COMPLETE: lines.join("\n"),
  };
  await runTool(["timeout", "30", "zsh", "-f", "-c", ZSH_DRIVER], { cwd: desk.folder, env });
  const parts = Deno.readTextFileSync(sandbox.path("offers")).split(/^--- .*\n/m);
  assertEquals(parts.pop(), "");
  return parts.map((text) => text.split("\n").filter((line) => line !== ""));
};

const SHELLS = [
  { name: "bash", path: "/usr/bin/bash", complete: completeInBash },
  { name: "fish", path: "/usr/bin/fish", complete: completeInFish },
  { name: "zsh", path: "/usr/bin/zsh", complete: completeInZsh },
] as const;

/** Lines, what must be offered for the last word, and what must not. */
const LINES: readonly { line: string; wanted: string[]; unwanted: string[] }[] = [
  { line: "kmeter ", wanted: COMMAND_NAMES, unwanted: ["trace_exec", "other.bpf.o"] },
  { line: "kmeter in", wanted: ["inspect", "init"], unwanted: ["run"] },
  { line: "kmeter help ", wanted: ["run", "version"], unwanted: ["trace_exec"] },
  { line: "kmeter run --ou", wanted: ["--output"], unwanted: ["--otel-metrics-name"] },
  { line: "kmeter run trace_exec --lib", wanted: ["--libbpf"], unwanted: ["--listen"] },
  { line: "kmeter run trace_exec --output ", wanted: OUTPUT_MODES, unwanted: ["trace_open"] },
  { line: "kmeter run trace_exec -o js", wanted: ["json", "jsonpretty"], unwanted: ["none"] },
  { line: "kmeter run trace_exec --output=", wanted: OUTPUT_MODES, unwanted: ["trace_open"] },
  { line: "kmeter run trace_", wanted: ["trace_exec", "trace_tcp"], unwanted: ["top_syscalls"] },
  { line: "kmeter inspect oth", wanted: ["other.bpf.o"], unwanted: ["types.btf"] },
  {
    line: "kmeter run trace_exec --btf ty",
    wanted: ["types.btf"],
    unwanted: ["other.bpf.o"],
  },
  { line: "kmeter version --li", wanted: ["--licenses", "--libbpf"], unwanted: ["--listen"] },
  { line: "kmeter list --he", wanted: ["--help"], unwanted: ["--host"] },
  { line: "kmeter build my", wanted: ["my_gadget"], unwanted: ["--btf", "trace_exec"] },
  { line: "kmeter run my", wanted: ["my_gadget"], unwanted: ["trace_exec"] },
];

for (const { name, path, complete } of SHELLS) {
  testWith(`${name} completes commands, flags, values and gadgets`, [path], async () => {
    using desk = await Desk.open();
    const all = await complete(desk, LINES.map(({ line }) => line));
    assertEquals(all.length, LINES.length);
    for (const [index, { line, wanted, unwanted }] of LINES.entries()) {
      // Some offer the whole word, others what is behind the "="; folders may have a slash.
      const offers = all[index].map((offer) => offer.replace(/^--\w+=(?=.)|[=/]$/g, ""));
      const shown = `${line}: ${offers.join(", ")}`;
      for (const offer of wanted) assert(offers.includes(offer), `no ${offer} for ${shown}`);
      for (const offer of unwanted) assert(!offers.includes(offer), `${offer} for ${shown}`);
    }
  });

  testWith(`${name} has every flag of every command, and no other`, [path], async () => {
    using desk = await Desk.open();
    const offers = await complete(desk, COMMANDS.map((command) => `kmeter ${command.name} --`));
    for (const [index, command] of COMMANDS.entries()) {
      await using kmeter = startKmeter([command.name, "--help"]);
      const { stdout } = await kmeter.finish();
      const flags = [...stdout.matchAll(/^ {2}.{4}(--[\w.-]+)/gm)].map(([, flag]) => flag);
      assert(flags.length > 0, stdout);
      const offered = offers[index].map((offer) => offer.replace(/=$/, ""))
        .filter((offer) => offer.startsWith("--"));
      assertEquals([...new Set(offered)].sort(), flags.sort(), command.name);
    }
  });
}

testWith("mandoc has nothing to say about the manual page", ["/usr/bin/mandoc"], async () => {
  using desk = await Desk.open();
  await using lint = new ChildProcess([
    ...["mandoc", "-T", "lint", "-W", "warning", desk.paper("kmeter.1")],
  ]);
  const { code, stdout } = await lint.finish();
  // Which other pages are installed here is no matter of this one.
  assertEquals([code, stdout.replace(/^mandoc: outdated mandoc\.db .*\n/gm, "")], [0, ""]);
});

testWith("the manual page has every command with its flags, as --help has", [
  "/usr/bin/mandoc",
], async () => {
  using desk = await Desk.open();
  const page = await textOf(desk.paper("kmeter.1"));
  for (const section of ["NAME", "SYNOPSIS", "ENVIRONMENT", "EXIT STATUS", "FILES", "EXAMPLES"]) {
    assertMatch(page, new RegExp(`^${section}$`, "m"));
  }
  for (const { name, usage, flags } of await loadCommands()) {
    const heading = `${name} ${usage}`.trimEnd();
    const start = page.indexOf(`\n   ${heading}\n`);
    assertNotEquals(start, -1, heading);
    const end = page.slice(start + 1).search(/\n {0,3}\S/);
    const described = [...page.slice(start, start + 1 + end).matchAll(/^ {5}((?:-\w, )?--.*)$/gm)];
    assertEquals(
      // A short flag has its description in the same line.
      described.map(([, flag]) => flag.replace(/ {2,}.*$/, "")),
      flags.map((flag) =>
        `${flag.short === undefined ? "" : `-${flag.short}, `}--${flag.name}` +
        (flag.value === undefined ? "" : ` ${flag.value}`)
      ),
    );
  }
});

/** A page as text, without overstrikes. */
async function textOf(page: string): Promise<string> {
  const { stdout } = await runTool(["mandoc", "-T", "ascii", "-O", "width=100", page]);
  // deno-lint-ignore no-control-regex -- letters are made bold by a backspace
  return stdout.replace(/.\x08/g, "");
}

testWith("the manual page has every variable that kmeter reads", [], () => {
  const read = new Set<string>();
  const walk = (folder: string): void => {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      if (isDirectory) walk(`${folder}/${name}`);
      else {
        const source = Deno.readTextFileSync(`${folder}/${name}`);
        for (const [, text] of source.matchAll(/Deno\.env\.get\("(\w+)"\)/g)) read.add(text);
        for (const [, text] of source.matchAll(/_VARIABLE = "([A-Z_]+)"/g)) read.add(text);
        if (source.includes("makeTemp")) read.add("TMPDIR");
      }
    }
  };
  for (const folder of ["src", "ffi"]) walk(`${CHECKOUT}/${folder}`);
  assertEquals(ENVIRONMENT.map(({ name }) => name), [...read].sort());
  return Promise.resolve();
});

testWith("the examples of the manual page have flags that there are", [], async () => {
  const commands = await loadCommands();
  for (const { name } of EXAMPLES) {
    for (const line of name.split(" && ")) {
      const command = commands.find((candidate) => line.startsWith(`kmeter ${candidate.name} `));
      assert(command !== undefined, line);
      const known = command.flags.flatMap(({ name, short }) => [`--${name}`, `-${short}`]);
      for (const [, flag] of line.matchAll(/ (--?[a-z.-]+)/g)) assert(known.includes(flag), flag);
    }
  }
});

testWith("the same time gives the same papers, on stdout too", [], async () => {
  const env = { SOURCE_DATE_EPOCH: "1700000000", TZ: "Asia/Tokyo", LANG: "C" };
  using sandbox = new Sandbox();
  const generate = async (script: string, ...args: readonly string[]): Promise<string> => {
    const config = ["--config", `${CHECKOUT}/deno.json`];
    const command = [Deno.execPath(), "run", "--allow-all", "--quiet", "--frozen", ...config];
    const { stdout } = await runTool([...command, `${CHECKOUT}/scripts/${script}`, ...args], {
      env,
    });
    return stdout;
  };
  const page = await generate("gen_man_page.ts");
  assertMatch(page, /^\.Dd November 14, 2023$/m);
  assertEquals(await generate("gen_man_page.ts", sandbox.path("page")), "");
  assertEquals(Deno.readTextFileSync(sandbox.path("page")), page);
  using desk = await Desk.open();
  assertEquals(
    [...Deno.readDirSync(desk.paper(""))].map(({ name }) => name)
      .filter((name) => name !== "_kmeter").sort(),
    FILES,
  );
  for (const shell of ["bash", "fish", "zsh"]) {
    assertEquals(await generate("gen_completions.ts", shell), desk.read(`kmeter.${shell}`));
  }
});

testWith("gen_completions refuses a shell that it does not know", [], async () => {
  await using child = new ChildProcess([
    ...[Deno.execPath(), "run", "--allow-all", "--quiet", "--config", `${CHECKOUT}/deno.json`],
    ...[`${CHECKOUT}/scripts/gen_completions.ts`, "csh"],
  ]);
  const { code, stdout, stderr } = await child.finish();
  assertEquals([code, stdout], [2, ""]);
  assertMatch(stderr, /^error: wanted one shell, and got "csh"\nhint: shells: bash, zsh, fish\n$/);
});
