/** Dockerfile and kubernetes.yaml, which need what a test machine has not: what others say of them, and whether they agree. */

// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
// @ts-types="./_std_yaml.d.ts"
import { parseAll } from "@std/yaml";
import { validate as validateDockerfile } from "dockerfile-utils";
import { DaemonSet, type IDaemonSet } from "kubernetes-models/apps/v1/DaemonSet";
import { type INamespace, Namespace } from "kubernetes-models/v1/Namespace";
import { type IServiceAccount, ServiceAccount } from "kubernetes-models/v1/ServiceAccount";

const CHECKOUT = new URL("../../..", import.meta.url).pathname;
const DOCKERFILE = Deno.readTextFileSync(`${CHECKOUT}scripts/packaging/Dockerfile`);
const [NAMESPACE, ACCOUNT, DAEMON_SET] = parseAll(
  Deno.readTextFileSync(`${CHECKOUT}scripts/packaging/kubernetes.yaml`),
  // What they are, the tests show.
) as [INamespace, IServiceAccount, IDaemonSet];
const POD = DAEMON_SET.spec!.template;
const [CONTAINER] = POD.spec!.containers;

Deno.test("the Dockerfile has no mistake that its language server knows", () => {
  assertEquals(validateDockerfile(DOCKERFILE), []);
  assertEquals(validateDockerfile(DOCKERFILE.replace("COPY", "COPPY")).length, 1);
});

Deno.test("objects of kubernetes.yaml have the values that Kubernetes takes", () => {
  new Namespace(NAMESPACE).validate();
  new ServiceAccount(ACCOUNT).validate();
  new DaemonSet(DAEMON_SET).validate();
  const wrong = structuredClone(DAEMON_SET) as { spec: { template: { spec: object } } };
  wrong.spec.template.spec = { containers: "kmeter" };
  assertThrows(() => new DaemonSet(wrong as unknown as IDaemonSet).validate());
});

Deno.test("objects of kubernetes.yaml have no fields that Kubernetes has not", async () => {
  assertEquals(await typeErrors(DAEMON_SET), "");
  assertMatch(await typeErrors({ ...DAEMON_SET, specs: {} }), /'"specs"' does not exist in type/);
});

/** What the type checker says of the objects, written as literals: of these it refuses unknown fields. */
async function typeErrors(daemonSet: object): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "kmeter_unit_" });
  try {
    const objects = [
      ["apps/v1/DaemonSet", "IDaemonSet", daemonSet],
      ["v1/Namespace", "INamespace", NAMESPACE],
      ["v1/ServiceAccount", "IServiceAccount", ACCOUNT],
    ] as const;
    const source = objects.map(([module, type, value]) =>
      `import type { ${type} } from "kubernetes-models/${module}";\n` +
      `export const of${type}: ${type} = ${JSON.stringify(value)};\n`
    );
    await Deno.writeTextFile(`${folder}/objects.ts`, source.join(""));
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "--frozen", `--config=${CHECKOUT}deno.json`, "objects.ts"],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    return success ? "" : new TextDecoder().decode(stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the objects of kubernetes.yaml belong together", () => {
  assertEquals([NAMESPACE.kind, ACCOUNT.kind, DAEMON_SET.kind], [
    "Namespace",
    "ServiceAccount",
    "DaemonSet",
  ]);
  for (const { metadata } of [ACCOUNT, DAEMON_SET]) {
    assertEquals(metadata!.namespace, NAMESPACE.metadata!.name);
  }
  assertEquals(POD.spec!.serviceAccountName, ACCOUNT.metadata!.name);
  assertEquals(POD.metadata!.labels, DAEMON_SET.spec!.selector.matchLabels);
  assertEquals(
    CONTAINER.volumeMounts!.map(({ name }) => name),
    POD.spec!.volumes!.map(({ name }) => name),
  );
});

Deno.test("a container listens where Dockerfile, probes and Prometheus expect it", () => {
  const [port] = CONTAINER.ports!;
  const [, exposed] = /^EXPOSE (\d+)$/m.exec(DOCKERFILE)!;
  const [, command] = /^CMD (.*)$/m.exec(DOCKERFILE)!;
  assertEquals(CONTAINER.args, JSON.parse(command));
  assert(CONTAINER.args!.includes(`--listen=0.0.0.0:${exposed}`));
  assertEquals(String(port.containerPort), exposed);
  assertEquals(POD.metadata!.annotations!["prometheus.io/port"], exposed);
  for (
    const probe of [CONTAINER.startupProbe, CONTAINER.livenessProbe, CONTAINER.readinessProbe]
  ) {
    assertEquals(probe!.httpGet, { path: "/healthz", port: port.name! });
  }
});

Deno.test("a container has no rights beyond two capabilities", () => {
  assertEquals(CONTAINER.securityContext!.capabilities, {
    drop: ["ALL"],
    add: ["BPF", "PERFMON"],
  });
  const isHost = ["hostPID", "hostIPC", "hostNetwork"].filter((name) => name in POD.spec!);
  assertEquals(isHost, []);
});
