/** The packed program in what scripts/packaging/kubernetes.yaml gives it: few files, few rights. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
// @ts-types="../unit/scripts/_std_yaml.d.ts"
import { parseAll } from "@std/yaml";
import { testWith } from "../e2e/cases.ts";
import { assertNothingLeft, listKernelObjects } from "../e2e/kernel_objects.ts";
import { CHECKOUT, packedProgram } from "../e2e/kmeter_command.ts";
import { ChildProcess } from "../e2e/kmeter_process.ts";
import type { Requirement } from "../e2e/requirements.ts";
import { Sandbox } from "../e2e/sandbox.ts";
import { ANY_PORT, readPage, servedAt } from "../e2e/scrape.ts";

/** Sources are not what goes into an image. */
const PROGRAM = packedProgram();
const SETPRIV = "/usr/bin/setpriv";
const REQUIRES: readonly Requirement[] = ["root", SETPRIV, "/usr/bin/ldd", PROGRAM];

interface DaemonSet {
  readonly spec: { template: { spec: { containers: Container[] } } };
}
interface Container {
  readonly args: readonly string[];
  readonly securityContext: { readonly capabilities: { readonly add: readonly string[] } };
}

const [, , daemonSet] = parseAll(
  Deno.readTextFileSync(`${CHECKOUT}/scripts/packaging/kubernetes.yaml`),
) as [unknown, unknown, DaemonSet];
const [CONTAINER] = daemonSet.spec.template.spec.containers;
const CAPABILITIES = CONTAINER.securityContext.capabilities.add;
const ARGS = CONTAINER.args.map((arg) => arg.startsWith("--listen=") ? ANY_PORT : arg);

/**
 * Makes a file system of the program, the libraries that it names, and setpriv, which takes the rights away once
 * inside. Nothing of it can be written, and /sys neither. Arguments: those of setpriv.
 */
const ENTER = `set -eu
mount -t tmpfs root "$ROOT"
cd "$ROOT"
ldd "$PROGRAM" "${SETPRIV}" | grep -o '/[^ ]*\\.so[^ ]*' | sort -u | xargs cp --dereference --parents -t .
mkdir -p usr/bin proc sys dev
touch usr/bin/kmeter usr/bin/setpriv dev/null dev/urandom
mount --bind "$PROGRAM" usr/bin/kmeter
mount --bind "${SETPRIV}" usr/bin/setpriv
mount --bind /dev/null dev/null
mount --bind /dev/urandom dev/urandom
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount --bind /sys/kernel/tracing sys/kernel/tracing
mount -o remount,bind,ro sys/kernel/tracing
mount -o remount,ro root .
exec env -i PATH=/usr/sbin:/usr/bin chroot . /usr/bin/setpriv "$@"
`;

/** Runs the program as a container would. Its first process is the only child of the one that is returned. */
function startContainer(sandbox: Sandbox, capabilities: readonly string[]): ChildProcess {
  const root = sandbox.path("root");
  Deno.mkdirSync(root);
  const allowed = capabilities.map((name) => `,+${name.toLowerCase()}`).join("");
  return new ChildProcess([
    ...["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"],
    ...["--ipc", "--uts", "sh", "-c", ENTER, "sh"],
    ...[`--bounding-set=-all${allowed}`, "--inh-caps=-all", "--no-new-privs"],
    ...["/usr/bin/kmeter", ...ARGS],
  ], { env: { ROOT: root, PROGRAM } });
}

testWith(
  "a container runs on its libraries, with few rights, and stops when told",
  REQUIRES,
  async () => {
    using sandbox = new Sandbox();
    const before = await listKernelObjects();
    await using container = startContainer(sandbox, CAPABILITIES);
    const address = await servedAt(container);
    assertEquals(await (await fetch(`${address}/healthz`)).text(), "ok\n");
    assertMatch(await readPage(address), /^kmeter_events_received_total\{/m);
    const init = Number(
      Deno.readTextFileSync(`/proc/${container.pid}/task/${container.pid}/children`),
    );
    Deno.kill(init, "SIGTERM");
    const { code, stderr } = await container.finish();
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /^trace_exec: metrics at \S+\n$/);
    await assertNothingLeft(before);
  },
);

for (const name of CAPABILITIES) {
  testWith(`a container without the capability ${name} does not start`, REQUIRES, async () => {
    using sandbox = new Sandbox();
    const others = CAPABILITIES.filter((other) => other !== name);
    await using container = startContainer(sandbox, others);
    const { code, stderr } = await container.finish();
    assertEquals(code, 1, stderr);
    assertMatch(stderr, /^error: Cannot load eBPF programs: this process lacks CAP_\w+\n/);
  });
}
