/** Bad input: one clear error each, the right exit code, and nothing left in the kernel. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { assertNoControls, assertOneError, runCase, testWith } from "./cases.ts";
import { BTF_KIND, BtfEditor, readBtf, withBtf, withoutBtf } from "./hostile_object.ts";
import { sleep } from "./kmeter_process.ts";
import { ANY_PORT, readPage, servedAt } from "./scrape.ts";
import { fixtureGadget, fixtureObject, NamedProgram, Sandbox } from "./sandbox.ts";

/** Bad input as a file or folder, and what kmeter says of it. */
interface BadInput {
  readonly name: string;
  /** Makes the input. @returns the gadget to run. */
  readonly make: (sandbox: Sandbox) => Promise<string> | string;
  readonly code: 1 | 2;
  readonly stderr: RegExp;
  /** True for messages that have no next action yet. */
}

const METADATA = "name: bad\n";

function testBadInputs(inputs: readonly BadInput[]): void {
  for (const { name, make, code, stderr } of inputs) {
    testWith(name, ["root"], async () => {
      using sandbox = new Sandbox();
      await runCase({
        name,
        // The timeout is for input that is taken for good: the test must not wait for ever.
        run: ["run", await make(sandbox), "--listen=127.0.0.1:0", "--timeout", "2"],
        expect: { code, stdout: "", stderr },
        check: (outcome) => assertOneError(outcome.stderr),
      });
    });
  }
}

const program = (bytes: string | Uint8Array) => (sandbox: Sandbox): string =>
  sandbox.write("bad.bpf.o", bytes);

testBadInputs([
  {
    name: "a file that is missing",
    make: (sandbox) => sandbox.path("missing.bpf.o"),
    code: 2,
    stderr: /^error: There is no gadget ".*missing\.bpf\.o".*\nhint: give a built-in name/,
  },
  {
    name: "an empty file",
    make: program(""),
    code: 1,
    stderr: /^error: Cannot read ".*bad\.bpf\.o": not an ELF file \(starts with nothing/,
  },
  {
    name: "a file that is no ELF object",
    make: program("name: trace_exec\n"),
    code: 1,
    stderr: /^error: Cannot read ".*bad\.bpf\.o": not an ELF file .*\nhint: give a compiled eBPF/,
  },
  {
    name: "a program for this processor instead of eBPF",
    make: () => "/bin/true",
    code: 1,
    stderr:
      /^error: Cannot read "\/bin\/true": ELF machine is \d+, wanted 247 .*\nhint: compile with clang/,
  },
  {
    name: "a truncated object",
    make: async (sandbox) => program((await fixtureObject("exec_args")).slice(0, 2000))(sandbox),
    code: 1,
    stderr: /^error: Cannot (read|use) ".*bad\.bpf\.o": .*\nhint: /,
  },
  {
    name: "an object of forty bytes",
    make: async (sandbox) => program((await fixtureObject("exec_args")).slice(0, 40))(sandbox),
    code: 1,
    stderr: /^error: Cannot read ".*bad\.bpf\.o": .*\nhint: /,
  },
  {
    name: "an object without BTF",
    make: async (sandbox) => program(await withoutBtf(await fixtureObject("exec_args")))(sandbox),
    code: 1,
    stderr:
      /^error: Cannot use ".*bad\.bpf\.o": it has no \.BTF section\nhint: compile with clang -g/,
  },
  {
    name: "a folder without an object",
    make: (sandbox) => {
      sandbox.write("empty/gadget.yaml", METADATA);
      return sandbox.path("empty");
    },
    code: 2,
    stderr:
      /^error: Cannot run ".*empty": it has no program\.bpf\.o\nhint: a gadget's folder holds/,
  },
  {
    name: "a folder that is not built",
    make: (sandbox) => {
      sandbox.write("mine/program.bpf.c", "");
      return sandbox.path("mine");
    },
    code: 2,
    stderr:
      /^error: Cannot run ".*mine": it has no program\.bpf\.o\nhint: build it first: kmeter build .*mine/,
  },
  {
    name: "a folder where the object should be",
    make: (sandbox) => {
      sandbox.write("odd/program.bpf.o/file", "");
      return sandbox.path("odd");
    },
    code: 2,
    stderr: /^error: Cannot read ".*odd\/program\.bpf\.o": Is a directory/,
  },
  {
    name: "a marker that names a missing map",
    make: () => fixtureGadget("missing_map"),
    code: 1,
    stderr:
      /^error: Cannot use ".*": Marker gadget_tracer_events___rinng___event names the map "rinng", .*\nhint: /,
  },
  {
    name: "a hook that this kernel refuses when attaching: kprobe",
    make: () => fixtureGadget("hook_kprobe"),
    code: 1,
    stderr: /Cannot attach program on_unlink \(kprobe\/do_unlinkat\): ENOENT[^]*\nhint: /,
  },
  {
    name: "a hook that this kernel refuses when loading: fentry",
    make: () => fixtureGadget("hook_fentry"),
    code: 1,
    stderr: /Cannot load hook_fentry into the kernel: EPERM[^]*\nhint: /,
  },
]);

/** The fixture's object with one thing spoilt in its BTF. */
function hostileBtf(
  name: string,
  spoil: (btf: BtfEditor) => Uint8Array,
  error: RegExp,
): BadInput {
  return {
    name: `hostile BTF: ${name}`,
    make: async (sandbox) => {
      const object = await fixtureObject("exec_args");
      const btf = new BtfEditor(await readBtf(object));
      return program(await withBtf(object, spoil(btf)))(sandbox);
    },
    code: 1,
    stderr: error,
  };
}

const eventOf = (btf: BtfEditor) => btf.find(BTF_KIND.struct, "event").offset;

testBadInputs([
  hostileBtf("nothing at all", () => new Uint8Array(0), /^error: .*BTF is 0 bytes long/),
  hostileBtf("half a header", (btf) => btf.bytes.slice(0, 10), /^error: .*BTF is 10 bytes long/),
  hostileBtf(
    "cut in the middle",
    (btf) => btf.bytes.slice(0, 1000),
    /^error: .*BTF type section .* ends/,
  ),
  hostileBtf("no magic number", (btf) => btf.setWord(0, 0).bytes, /^error: .*BTF begins with 0x0/),
  hostileBtf(
    "a header of 4 GB",
    (btf) => btf.setWord(4, 0xfffffff0).bytes,
    /^error: .*BTF header says it is 4294967280 bytes long/,
  ),
  hostileBtf(
    "strings behind the end",
    (btf) => btf.setWord(16, 0xffffffff).bytes,
    /^error: .*BTF string section .* ends after/,
  ),
  hostileBtf(
    "a typedef of itself",
    (btf) => {
      const { id, offset } = btf.find(BTF_KIND.typedef, "__s32");
      return btf.setWord(offset + 8, id).bytes;
    },
    /^error: .*BTF type \d+ .*typedefs and qualifiers do not end/,
  ),
  hostileBtf(
    "a struct that contains itself",
    (btf) => {
      const { id } = btf.find(BTF_KIND.struct, "event");
      return btf.setWord(btf.member("event", 1) + 4, id).bytes;
    },
    /^error: .*BTF type \d+ .*member "count"/,
  ),
  hostileBtf(
    "a struct of 4 GB",
    (btf) => btf.setWord(eventOf(btf) + 8, 0xffffffff).bytes,
    /^error: .*BTF type \d+ .*4294967295 bytes/,
  ),
  hostileBtf(
    "more members than bytes",
    (btf) => btf.setWord(eventOf(btf) + 4, 0x0400ffff).bytes,
    /^error: .*BTF type \d+ .*needs \d+ bytes/,
  ),
  hostileBtf(
    "a member far outside of its struct",
    (btf) => btf.setWord(btf.member("event", 1) + 8, 0x7fffffff).bytes,
    /^error: .*BTF type \d+ .*member "count" ends at bit 2147483679/,
  ),
  hostileBtf(
    "a member of a type that is not there",
    (btf) => btf.setWord(btf.member("event", 1) + 4, 0x7fffffff).bytes,
    /^error: .*BTF type \d+ .*type id 2147483647 is outside/,
  ),
  hostileBtf(
    "a name that is not there",
    (btf) => btf.setWord(btf.member("event", 1), 0x7fffffff).bytes,
    /^error: .*BTF type \d+ .*string offset 2147483647 is outside/,
  ),
  hostileBtf(
    "a name without end",
    (btf) => btf.rename(btf.member("event", 1), new Uint8Array(5000).fill(0x61)).bytes,
    /^error: .*BTF name .* longer than 512 bytes/,
  ),
  hostileBtf(
    "two members of one name",
    (btf) => btf.rename(btf.member("event", 1), new TextEncoder().encode("name")).bytes,
    /^error: .*BTF has two members that make the field "name"/,
  ),
]);

/** Names that would break out of generated code, of a table, of an object or of the terminal. */
const ODD_NAMES = [
  'x];evil("',
  "a\u2028throw 1\u2029b",
  "constructor",
  "*/ evil() /*",
  "\x1b[2J\n`${evil}`\r",
  "\ufeffé漢",
];

for (const odd of ODD_NAMES) {
  testWith(
    `a member called ${JSON.stringify(odd)} is a field like any other`,
    ["root"],
    async () => {
      using sandbox = new Sandbox();
      using named = new NamedProgram();
      const object = await fixtureObject("exec_args");
      const btf = new BtfEditor(await readBtf(object));
      btf.rename(btf.member("event", 1), new TextEncoder().encode(odd));
      const gadget = sandbox.gadget("odd", {
        object: await withBtf(object, btf.bytes),
        metadata: `name: odd\ndatasources:\n  events:\n    fields:\n      ${
          JSON.stringify(odd)
        }:\n        annotations: {metrics.type: counter, description: ${JSON.stringify(odd)}}\n`,
      });
      await runCase({
        name: odd,
        run: ["run", gadget, ANY_PORT, "-o", "json", "--dump-code", "-F", `name==${named.name}`],
        during: async (kmeter) => {
          const address = await servedAt(kmeter);
          await named.run(2, ["a"]);
          await sleep(300);
          const samples = (await readPage(address)).split("\n").filter((line) =>
            line.includes('"odd/events"')
          );
          assertEquals(samples.map((line) => line.split(" ").at(-1)), ["4"]);
          kmeter.kill("SIGINT");
        },
        expect: { code: 0 },
        check: ({ stdout, stderr }) => {
          const rows = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
          assertEquals(rows, Array(2).fill({ name: named.name, [odd]: 2 }));
          assertNoControls(stdout + stderr);
        },
      });
    },
  );
}
