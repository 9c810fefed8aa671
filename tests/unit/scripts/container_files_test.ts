/** Dockerfile and kubernetes.yaml, which need what a test machine has not: what others say of them, and whether they agree. */

// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
// @ts-types="./_std_yaml.d.ts"
import { parseAll } from "@std/yaml";

/** The parts of Kubernetes' objects that the tests read; that they are so, the first test shows. */
interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}
interface Probe {
  readonly httpGet: unknown;
}
interface Container {
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly name: string }[];
  readonly securityContext: { readonly capabilities: unknown };
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
}
interface DaemonSet extends KubernetesObject {
  readonly spec: {
    readonly selector: { readonly matchLabels: unknown };
    readonly template: {
      readonly metadata: { readonly labels: unknown; readonly annotations: Record<string, string> };
      readonly spec: {
        readonly serviceAccountName: string;
        readonly containers: readonly Container[];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
  };
}

const CHECKOUT = decodeURIComponent(new URL("../../..", import.meta.url).pathname);
const DOCKERFILE = Deno.readTextFileSync(`${CHECKOUT}scripts/packaging/Dockerfile`);
const [NAMESPACE, ACCOUNT, DAEMON_SET] = parseAll(
  Deno.readTextFileSync(`${CHECKOUT}scripts/packaging/kubernetes.yaml`),
) as [KubernetesObject, KubernetesObject, DaemonSet];
const POD = DAEMON_SET.spec.template;
const [CONTAINER] = POD.spec.containers;

/** Not in deno.json: who runs kmeter from its sources would have to download them. */
const PACKAGES = ["dockerfile-utils@0.16.3", "kubernetes-models@5.1.0"] as const;
const LOCK = `${CHECKOUT}tests/fixtures/container_files.lock`;
const KINDS = { Namespace: "v1", ServiceAccount: "v1", DaemonSet: "apps/v1" };

/**
 * A program that prints what a Dockerfile parser and the models of Kubernetes have to complain of. Objects are
 * literals there: of these the type checker refuses unknown fields, which Kubernetes' own schemas allow.
 */
function checkerOf(dockerfile: string, objects: Readonly<Record<string, unknown>>): string {
  const [parser, models] = PACKAGES;
  const checks = Object.entries(KINDS).map(([kind, version]) => `
import { ${kind}, type I${kind} } from "npm:${models}/${version}/${kind}";
const the${kind}: I${kind} = ${JSON.stringify(objects[kind])};
new ${kind}(the${kind}).validate();
`);
  return `import { validate } from "npm:${parser}";
for (const { message } of validate(${
    JSON.stringify(dockerfile)
  })) throw new Error(JSON.stringify(message));
${checks.join("")}`;
}

/** What is wrong; nothing if all is right. */
async function complaints(program: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "kmeter_unit_" });
  try {
    await Deno.writeTextFile(`${folder}/checker.ts`, program);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--check",
        "--no-prompt",
        "--no-config",
        `--lock=${LOCK}`,
        "--frozen",
        "checker.ts",
      ],
      cwd: folder,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    }).output();
    return success ? "" : new TextDecoder().decode(stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const OBJECTS = { Namespace: NAMESPACE, ServiceAccount: ACCOUNT, DaemonSet: DAEMON_SET };
const SCHEMA_TEST = "others find nothing wrong with Dockerfile and kubernetes.yaml";
const obstacle = await complaints(`import "npm:${PACKAGES[0]}";\n`);
const isOffline = /error sending request|dns error|client error \(Connect\)/.test(obstacle);
if (isOffline) {
  const reason = `needs ${PACKAGES.join(", ")} from npm`;
  Deno.stdout.writeSync(new TextEncoder().encode(`skip: ${SCHEMA_TEST}: ${reason}\n`));
}

Deno.test({
  name: SCHEMA_TEST,
  ignore: isOffline,
  async fn() {
    assertEquals(await complaints(checkerOf(DOCKERFILE, OBJECTS)), "");
    const misspelt = checkerOf(DOCKERFILE.replace("COPY", "COPPY"), OBJECTS);
    assertStringIncludes(await complaints(misspelt), "Unknown instruction: COPPY");
    const unknown = checkerOf(DOCKERFILE, { ...OBJECTS, DaemonSet: { ...DAEMON_SET, specs: {} } });
    assertMatch(await complaints(unknown), /'"specs"' does not exist in type 'IDaemonSet'/);
  },
});

Deno.test("the objects of kubernetes.yaml belong together", () => {
  assertEquals([NAMESPACE.kind, ACCOUNT.kind, DAEMON_SET.kind], [
    "Namespace",
    "ServiceAccount",
    "DaemonSet",
  ]);
  for (const { metadata } of [ACCOUNT, DAEMON_SET]) {
    assertEquals(metadata.namespace, NAMESPACE.metadata.name);
  }
  assertEquals(POD.spec.serviceAccountName, ACCOUNT.metadata.name);
  assertEquals(POD.metadata.labels, DAEMON_SET.spec.selector.matchLabels);
  assertEquals(
    CONTAINER.volumeMounts.map(({ name }) => name),
    POD.spec.volumes.map(({ name }) => name),
  );
});

Deno.test("a container listens where Dockerfile, probes and Prometheus expect it", () => {
  const [port] = CONTAINER.ports;
  const [, exposed] = /^EXPOSE (\d+)$/m.exec(DOCKERFILE)!;
  const [, command] = /^CMD (.*)$/m.exec(DOCKERFILE)!;
  assertEquals(CONTAINER.args, JSON.parse(command));
  assert(CONTAINER.args.includes(`--listen=0.0.0.0:${exposed}`));
  assertEquals(String(port.containerPort), exposed);
  assertEquals(POD.metadata.annotations["prometheus.io/port"], exposed);
  for (
    const probe of [CONTAINER.startupProbe, CONTAINER.livenessProbe, CONTAINER.readinessProbe]
  ) {
    assertEquals(probe.httpGet, { path: "/healthz", port: port.name });
  }
});

Deno.test("a container has no rights beyond two capabilities", () => {
  assertEquals(CONTAINER.securityContext.capabilities, {
    drop: ["ALL"],
    add: ["BPF", "PERFMON"],
  });
  const isHost = ["hostPID", "hostIPC", "hostNetwork"].filter((name) => name in POD.spec);
  assertEquals(isHost, []);
});
