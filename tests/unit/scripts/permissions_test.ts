/** What kmeter may do by Deno's permissions: the list, and that every way to start it has that list and no more. */

// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { fuseElf } from "../../../scripts/compile/fuse_elf.ts";
import { buildEntry, commandLine } from "../../../scripts/compile/pack.ts";
import { permissionsOf, readGrants } from "../../../scripts/permissions.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { CHECKOUT, sourceCommand } from "../../e2e/kmeter_command.ts";

/** `kmeter serve`, and those who talk to it. */
const SOCKET_COMMANDS = ["attach", "logs", "ps", "serve", "start", "stop"];

/** What the name of a flag stands for, and who has it. */
const GRANTED: Readonly<Record<string, readonly string[]>> = {
  "--allow-env": ["any", "build", "run", "serve"],
  "--allow-ffi": ["any"],
  "--allow-net": ["run", ...SOCKET_COMMANDS].sort(),
  "--allow-read": ["any"],
  "--allow-run": ["build", "run", "serve"],
  "--allow-sys": ["any"],
  // A Unix socket is a file.
  "--allow-write": ["build", "init", "run", ...SOCKET_COMMANDS].sort(),
  "--no-remote": ["any"],
};

Deno.test("only build starts all programs, few write, few open sockets", () => {
  const granted: Record<string, string[]> = {};
  for (const { command, flag } of readGrants()) {
    (granted[flag.replace(/=.*/, "")] ??= []).push(command);
  }
  for (const commands of Object.values(granted)) commands.sort();
  assertEquals(granted, GRANTED);
  // Without a list, either would allow everything of its kind.
  const scoped = permissionsOf().filter((flag) => /^--allow-(?:env|sys)/.test(flag));
  assertEquals(scoped.every((flag) => flag.includes("=")), true);
  const names = ["any", ...COMMANDS.map(({ name }) => name)];
  assertEquals(readGrants().filter(({ command }) => !names.includes(command)), []);
});

/** Commands with permissions of their own, one without, one that only looks like it, and none. */
const FIRST_ARGUMENTS = ["run", "init", "build", "doctor", "builder", ""];

Deno.test("scripts/kmeter gives these permissions", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "kmeter_permissions_" });
  try {
    Deno.mkdirSync(`${folder}/scripts`);
    for (const name of ["kmeter", "permissions"]) {
      Deno.copyFileSync(`${CHECKOUT}/scripts/${name}`, `${folder}/scripts/${name}`);
    }
    write(`${folder}/scripts/setup`, "#!/bin/sh\n");
    write(`${folder}/deno`, `#!/bin/sh\nprintf '%s\\n' "$@"\n`);
    const found = `checkout_of() { echo ${folder}; }\nfind_deno() { echo ${folder}/deno; }\n`;
    write(`${folder}/scripts/toolchain.bash`, found);
    for (const first of FIRST_ARGUMENTS) {
      const [_, ...args] = sourceCommand(first).map((word) => word.replace(CHECKOUT, folder));
      const given = await outputOf(`${folder}/scripts/kmeter`, [first, "x"]);
      assertEquals(given.split("\n").filter(isPermission), args.filter(isPermission), first);
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

/** Says which of these it could do. */
const ATTEMPTS = `
const attempts = {
  "start a program": () => new Deno.Command("/bin/true").outputSync(),
  "start a shell": () => new Deno.Command("/bin/sh", { args: ["-c", "true"] }).outputSync(),
  "write": () => Deno.writeTextFileSync("/dev/null", ""),
  "serve": () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
  "read PATH": () => Deno.env.get("PATH"),
  "read NOTIFY_SOCKET": () => Deno.env.get("NOTIFY_SOCKET"),
  "read OTEL_SERVICE_NAME": () => Deno.env.get("OTEL_SERVICE_NAME"),
  "read another variable": () => Deno.env.get("AWS_SECRET_ACCESS_KEY"),
  "list the network interfaces": () => Deno.networkInterfaces(),
};
const done = [];
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    attempt();
    done.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
}
console.log(done.join());
`;
const ABILITIES: Readonly<Record<string, string>> = {
  run: "start a shell,write,serve,read NOTIFY_SOCKET,read OTEL_SERVICE_NAME",
  init: "write,read NOTIFY_SOCKET",
  build: "start a program,start a shell,write,read PATH,read NOTIFY_SOCKET",
  doctor: "read NOTIFY_SOCKET",
  builder: "read NOTIFY_SOCKET",
  "": "read NOTIFY_SOCKET",
};

Deno.test("a program from the sources can do no more", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "kmeter_permissions_" });
  try {
    write(`${folder}/main.ts`, ATTEMPTS);
    for (const first of FIRST_ARGUMENTS) {
      const [deno, ...args] = sourceCommand(first).map((word) =>
        word.replace(`${CHECKOUT}/main.ts`, `${folder}/main.ts`)
      );
      assertEquals(await outputOf(deno, [...args, first]), `${ABILITIES[first]}\n`, first);
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

const tools = ["cc", "objcopy"].every((tool) => {
  try {
    return new Deno.Command(tool, { args: ["--version"], stdout: "null" }).outputSync().success;
  } catch {
    return false;
  }
});

Deno.test({
  name: "a packed program can do no more",
  ignore: !tools,
  async fn() {
    const folder = Deno.makeTempDirSync({ prefix: "kmeter_permissions_" });
    try {
      const program = fuseElf(Deno.readFileSync(Deno.execPath()), {
        ...commandLine(),
        entryCode: await buildEntry(CHECKOUT, folder),
        files: [new TextEncoder().encode(ATTEMPTS)],
      });
      Deno.writeFileSync(`${folder}/packed`, program, { mode: 0o755 });
      for (const first of FIRST_ARGUMENTS) {
        assertEquals(await outputOf(`${folder}/packed`, [first]), `${ABILITIES[first]}\n`, first);
      }
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

function isPermission(argument: string): boolean {
  return /^--(?:allow|deny|no)-(?!prompt|config)|^-A$/.test(argument);
}

function write(path: string, text: string): void {
  Deno.writeTextFileSync(path, text, { mode: 0o755 });
}

async function outputOf(program: string, args: readonly string[]): Promise<string> {
  const env = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
  const { stdout, stderr } = await new Deno.Command(program, { args: [...args], env }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout);
}
