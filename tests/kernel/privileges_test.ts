/** Rights that kmeter has not: what a process that left root can no longer do, and what Deno does not allow. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { permissionsOf } from "../../scripts/permissions.ts";
import { sourceCommand } from "../e2e/kmeter_command.ts";
import { kernelTest } from "./harness.ts";

const DOOR = new URL("../../ffi/mod.ts", import.meta.url).href;

/** Tries everything in a child, before and after: there is no way back for a process. */
const ATTEMPTS = `
import { becomeUser } from ${JSON.stringify(DOOR)};
const attempts = {
  "start a program": () => new Deno.Command("/bin/true").outputSync().success,
  "read what is root's": () => Deno.readTextFileSync("/etc/shadow") !== "",
  "write to /etc": () => Deno.makeTempDirSync({ dir: "/etc", prefix: "kmeter_test_" }),
  "become root again": () => becomeUser({ uid: 0, gid: 0 }),
};
const works = (action) => {
  try {
    const result = action();
    if (typeof result === "string") Deno.removeSync(result);
    return true;
  } catch {
    return false;
  }
};
const tryAll = () => Object.fromEntries(
  Object.entries(attempts).map(([name, action]) => [name, works(action)]),
);
const { "become root again": _, ...others } = attempts;
const before = Object.values(others).every(works);
becomeUser({ uid: 65534, gid: 65534 });
console.log(JSON.stringify({ before, after: tryAll() }));
`;

kernelTest("a process that left root starts no program, and there is no way back", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--no-lock", ATTEMPTS],
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
  });
  const { stdout, stderr } = await child.output();
  assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals(JSON.parse(new TextDecoder().decode(stdout)), {
    before: true,
    after: {
      "start a program": false,
      "read what is root's": false,
      "write to /etc": false,
      "become root again": false,
    },
  });
});

const COMMAND_LINE = new URL("../../src/cli/mod.ts", import.meta.url).href;

/** A run of kmeter beside code as a dependency might have it, which tries what it can once kmeter serves. */
const STOWAWAY = `
import { main } from ${JSON.stringify(COMMAND_LINE)};
const local = { hostname: "127.0.0.1", port: 0 };
const attempts = {
  "start a program": () => new Deno.Command("/bin/true").outputSync(),
  "start a shell": () => new Deno.Command("/bin/sh", { args: ["-c", "true"] }).outputSync(),
  "write a file": () => Deno.makeTempDirSync(),
  "serve": () => Deno.listen(local),
  "connect": () => Deno.connect({ ...local, port: 1 }),
  "fetch": () => fetch("http://127.0.0.1:4/"),
  "fetch code": () => import("https://jsr.io/none.ts"),
  "read PATH": () => Deno.env.get("PATH"),
  "read what the kernel tells": () => Deno.readTextFileSync("/proc/self/maps"),
};
async function tryAll() {
  const refused = [];
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      await attempt();
    } catch (error) {
      const isRefused = error instanceof Deno.errors.NotCapable || /but --no-remote is/.test(error.message);
      if (isRefused) refused.push(name);
    }
  }
  console.log(JSON.stringify(refused));
}
const timer = setInterval(() => {
  if (Deno.permissions.querySync({ name: "net" }).state === "granted") return;
  clearInterval(timer);
  tryAll();
}, 20);
Deno.exit(await main(["run", "trace_exec", "-o", "none", "--listen=127.0.0.1:0", "-t", "2"]));
`;

kernelTest(
  "code in a running kmeter starts nothing, writes nothing and reaches nobody",
  async () => {
    const file = Deno.makeTempFileSync({ suffix: ".ts" });
    try {
      Deno.writeTextFileSync(file, STOWAWAY);
      const [program, ...args] = sourceCommand("run");
      const { stdout, stderr } = await new Deno.Command(program, {
        args: ["run", "--no-check", ...args.slice(1, -1), file],
        env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      }).output();
      assertMatch(new TextDecoder().decode(stderr), /^trace_exec: metrics at \S+\n$/);
      assertEquals(JSON.parse(new TextDecoder().decode(stdout)), [
        "start a program",
        "start a shell",
        "write a file",
        "serve",
        "connect",
        "fetch",
        "fetch code",
        "read PATH",
        "read what the kernel tells",
      ]);
    } finally {
      Deno.removeSync(file);
    }
  },
);

/** What kmeter has, and more, is too little for Deno's own way to these files: hence `ffi/kernel_files.ts`. */
const NARROWER: readonly (readonly string[])[] = [
  permissionsOf("run"),
  ["--allow-read=/proc,/sys", "--allow-ffi"],
  ["--allow-all", "--deny-run"],
];
for (const permissions of NARROWER) {
  for (const file of ["/proc/self/status", "/sys/devices/system/cpu/online"]) {
    kernelTest(`Deno does not open ${file} for ${permissions.join(" ")}`, async () => {
      const script = `console.log(Deno.readTextFileSync(${JSON.stringify(file)}))`;
      const module = `data:application/javascript,${encodeURIComponent(script)}`;
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--no-lock", "--no-prompt", ...permissions, module],
        env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      });
      const { code, stderr } = await child.output();
      assertEquals(code, 1);
      assertMatch(new TextDecoder().decode(stderr), /Requires all access to .*--allow-all/);
    });
  }
}
