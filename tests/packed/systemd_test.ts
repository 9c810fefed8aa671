/** The systemd unit: what systemd says of it, and what it does under systemd. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { probeBooted } from "../e2e/booted_system.ts";
import { testWith } from "../e2e/cases.ts";
import { assertNothingLeft, listKernelObjects } from "../e2e/kernel_objects.ts";
import { CHECKOUT, packedProgram } from "../e2e/kmeter_command.ts";
import { runTool } from "../e2e/kmeter_process.ts";
import { Sandbox } from "../e2e/sandbox.ts";

const ANALYZE = "/usr/bin/systemd-analyze";
const UNIT = `${CHECKOUT}/scripts/packaging/kmeter.service`;
/** In tenths; systemd calls up to 2.0 well protected for a service that needs root. */
const MAX_EXPOSURE = 20;
/** What is packed runs under the sandbox of the unit; sources do not. */
const PROGRAM = packedProgram();

const CAP_PERFMON = 38;
const CAP_BPF = 39;

testWith("systemd finds nothing wrong with the unit", [ANALYZE], async () => {
  using sandbox = new Sandbox();
  const text = Deno.readTextFileSync(UNIT).replaceAll("/usr/bin/kmeter", "/bin/true");
  const unit = sandbox.write("kmeter.service", text);
  const { stdout, stderr } = await runTool([ANALYZE, "verify", "--man=no", unit]);
  assertEquals([stdout, stderr], ["", ""]);
});

testWith("systemd finds the unit little exposed", [ANALYZE], async () => {
  // Fails above the threshold.
  const { stdout } = await runTool([
    ...[ANALYZE, "security", "--no-pager", "--offline=true", `--threshold=${MAX_EXPOSURE}`, UNIT],
  ]);
  assertMatch(stdout, /Overall exposure level for kmeter\.service/);
});

/** Says of each gadget whether it starts, then of the last one what it may do, what it serves, and how it stops. */
function probeFor(gadgets: readonly string[]): string {
  return `systemctl is-enabled kmeter
for gadget in ${gadgets.join(" ")}; do
  sed -i "s/^KMETER_GADGET=.*/KMETER_GADGET=$gadget/" /etc/default/kmeter
  systemctl restart kmeter && echo "$gadget $(systemctl show -P SubState kmeter)"
done
pid=$(systemctl show -P MainPID kmeter)
grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' "/proc/$pid/status"
/bin/true
curl -s http://127.0.0.1:2224/metrics | grep -m 1 -o '^execs_total{'
systemctl stop kmeter
systemctl show -p ActiveState,Result,ExecMainStatus,NRestarts kmeter
`;
}

testWith(
  "under systemd every gadget starts in the sandbox of the unit, is scraped and stops",
  ["boot", "/usr/bin/curl", PROGRAM],
  async () => {
    using sandbox = new Sandbox();
    const before = await listKernelObjects();
    const others = [...Deno.readDirSync(`${CHECKOUT}/gadgets`)].map(({ name }) => name)
      .filter((name) => /^(profile|top|trace)_/.test(name) && name !== "trace_exec").sort();
    const gadgets = [...others, "trace_exec"];
    const output = await probeBooted(sandbox, { program: PROGRAM, probe: probeFor(gadgets) });
    const capabilities = (1n << BigInt(CAP_PERFMON) | 1n << BigInt(CAP_BPF)).toString(16)
      .padStart(16, "0");
    assertEquals(output.trimEnd().split("\n"), [
      "disabled",
      ...gadgets.map((gadget) => `${gadget} running`),
      `CapEff:\t${capabilities}`,
      `CapBnd:\t${capabilities}`,
      "NoNewPrivs:\t1",
      "Seccomp:\t2",
      "execs_total{",
      "Result=success",
      "NRestarts=0",
      "ExecMainStatus=0",
      "ActiveState=inactive",
    ]);
    await assertNothingLeft(before);
  },
);
