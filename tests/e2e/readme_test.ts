/** README.md tells the truth: its commands run, its files build, its tables are complete. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { runCase, testWith } from "./cases.ts";
import { CHECKOUT } from "./kmeter_command.ts";
import { assertNothingLeft, listKernelObjects } from "./kernel_objects.ts";
import { ChildProcess, runTool, sleep, type SpawnOptions, startKmeter } from "./kmeter_process.ts";
import { readmeBlocks, readmeTable, replaceStruct } from "./readme_blocks.ts";
import { fixtureGadget, Sandbox } from "./sandbox.ts";
import { ANY_PORT, readPage, servedAt } from "./scrape.ts";
import { OWN_METRIC_NAMES } from "../../src/export/own_metric_names.ts";

const README = Deno.readTextFileSync(`${CHECKOUT}/README.md`);
/** How long a command that does not end by itself may run. */
const RUN_MS = 1000;
const COMMAND_TIMEOUT_MS = 60_000;

/** A network of the test's own, so that the README's ports are free. Ownership: `await using`. */
class PrivateNetwork implements AsyncDisposable {
  readonly #holder = new ChildProcess([
    ...["unshare", "--net", "sh", "-c"],
    "ip link set lo up && echo ready && exec sleep 600",
  ]);

  async prefix(): Promise<readonly string[]> {
    await this.#holder.waitFor("stdout", /ready/);
    return ["nsenter", `--net=/proc/${this.#holder.pid}/ns/net`];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#holder[Symbol.asyncDispose]();
  }
}

/** Starts a command line of the README. */
function start(command: string, options: SpawnOptions): ChildProcess {
  // `exec`, so that signals reach the command itself.
  return new ChildProcess(["bash", "-c", `exec ${command}`], options);
}

/** Ends a command that is up to run for ever, and checks that it was content. */
async function stop(command: string, child: ChildProcess): Promise<void> {
  if (!child.hasEnded) child.kill("SIGINT");
  const { code, stdout, stderr } = await child.finish({ timeoutMs: COMMAND_TIMEOUT_MS });
  assertEquals(code, 0, `${command}\n${stdout}${stderr}`);
  assert(!/^(error|warning): /m.test(stderr), `${command}\n${stderr}`);
}

testWith(
  "every command of README.md works, on the files of README.md",
  ["root", "/usr/bin/curl", "/usr/bin/openssl", "/usr/bin/promtool"],
  async () => {
    using sandbox = new Sandbox();
    Deno.symlinkSync(`${CHECKOUT}/scripts`, sandbox.path("scripts"));
    const before = await listKernelObjects();
    {
      await using network = new PrivateNetwork();
      const options = { cwd: sandbox.folder, prefix: await network.prefix() };
      let commandCount = 0;
      let last: { command: string; child: ChildProcess } | undefined;
      const stopLast = async () => {
        if (last !== undefined) await stop(last.command, last.child);
        last = undefined;
      };
      for (const block of readmeBlocks(README)) {
        switch (block.kind) {
          case "commands":
            for (const command of block.commands) {
              commandCount++;
              if (!block.isMeanwhile) {
                await stopLast();
                const child = start(command, options);
                await runForAWhile(child);
                last = { command, child };
              } else {
                const { stdout } = await runTool(["bash", "-c", command], options);
                if (command.startsWith("curl ")) assertMatch(stdout, /^# HELP /);
              }
            }
            break;
          case "file":
            sandbox.write(block.path, block.text);
            break;
          case "struct": {
            const source = Deno.readTextFileSync(sandbox.path(block.path));
            sandbox.write(block.path, replaceStruct(source, block.text));
            break;
          }
          case "prometheus": {
            const file = sandbox.write("prometheus.yml", block.text);
            await runTool(["/usr/bin/promtool", "check", "config", file]);
          }
        }
      }
      await stopLast();
      assert(commandCount >= 15, `found ${commandCount} commands only`);
    }
    await assertNothingLeft(before);
  },
);

/** Commands that end are waited for; those that run on get time to start and to fail. */
async function runForAWhile(child: ChildProcess): Promise<void> {
  const startMs = performance.now();
  while (
    !child.hasEnded && !isCounting(child.pid) && performance.now() - startMs < COMMAND_TIMEOUT_MS
  ) {
    await sleep(20);
  }
  for (let waitedMs = 0; waitedMs < RUN_MS && !child.hasEnded; waitedMs += 20) await sleep(20);
}

/** True once a process has attached a program: not all commands have something to show. */
function isCounting(pid: number): boolean {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].some(({ name }) =>
      /bpf_link|bpf-link|perf_event/.test(Deno.readLinkSync(`/proc/${pid}/fd/${name}`))
    );
  } catch (error) {
    // It has ended, or closed a descriptor meanwhile.
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** What stands in backquotes, unescaped. */
function quoted(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text.replaceAll("\\|", "|"));
}

testWith("README.md has all flags of run, and no other", [], async () => {
  await using kmeter = startKmeter(["run", "--help"]);
  const { stdout } = await kmeter.finish();
  const wanted = [...stdout.matchAll(/^ +(?:-\w, )?--([a-z.-]+)/gm)].map(([, name]) => name);
  const described = readmeTable(README, "flag").map(([cell]) => {
    const names = quoted(cell);
    return /^--([a-z.-]+)/.exec(names.at(-1) ?? "")?.[1];
  });
  assertEquals(described, wanted);
});

testWith(
  "README.md has all of kmeter's own metrics with their labels, and no other",
  ["root"],
  async () => {
    await using kmeter = startKmeter([
      "run",
      await fixtureGadget("all_kinds"),
      "-o",
      "none",
      ANY_PORT,
    ]);
    const page = await readPage(await servedAt(kmeter));
    const rows = readmeTable(README, "own metric");
    const served = [...OWN_METRIC_NAMES].filter((name) => name.startsWith("kmeter_"));
    assertEquals(rows.map(([name]) => quoted(name)[0]).toSorted(), served.toSorted());
    let compared = 0;
    for (const [name, labels] of rows) {
      const sample = new RegExp(`^${quoted(name)[0]}(?:\\{(.*)\\})? `, "m").exec(page);
      // Some have no sample where nothing of the kind is at work.
      if (sample === null) continue;
      compared++;
      assertEquals(
        [...(sample[1] ?? "").matchAll(/(\w+)="/g)].map(([, label]) => label),
        quoted(labels),
      );
    }
    assert(compared >= 8, `compared ${compared} only`);
  },
);

testWith("README.md has all built-in gadgets", [], async () => {
  await using kmeter = startKmeter(["list"]);
  const { stdout } = await kmeter.finish();
  assertEquals(
    readmeTable(README, "gadget").map(([cell]) => quoted(cell)[0]),
    stdout.trimEnd().split("\n").map((line) => line.split(" ")[0]),
  );
});

testWith("every annotation of README.md is known, with the value of its example", [], async () => {
  const gadget = await fixtureGadget("exec_args");
  for (const [key, owner, example] of readmeTable(README, "key")) {
    const target = owner === "field" ? "events.count" : "events";
    // A sum is for slots only: everything but the role is checked when gadgets are read.
    const annotation = `${target}:${quoted(key)[0]}=${quoted(example)[0]}`;
    const isForSlots = annotation.includes("metrics.sum");
    await runCase({
      name: annotation,
      run: ["inspect", gadget, "--annotate", annotation],
      expect: isForSlots
        ? {
          code: 2,
          stderr: /^error: Field "events\.count" has "metrics\.sum", which is for arrays/,
        }
        : { code: 0, stderr: "" },
    });
  }
});

testWith("links of README.md, ARCHITECTURE.md and SECURITY.md lead somewhere", [], () => {
  for (const file of ["README.md", "ARCHITECTURE.md", "SECURITY.md"]) {
    const text = Deno.readTextFileSync(`${CHECKOUT}/${file}`);
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      assert(Deno.statSync(`${CHECKOUT}/${target}`).isFile, `${file}: ${target}`);
    }
  }
  return Promise.resolve();
});
