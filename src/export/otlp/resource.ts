/** What a push says of where it comes from. */

import { readKernelText } from "../../../ffi/mod.ts";
import { type Environment, readVariable } from "./environment.ts";
import { parsePairs } from "./_headers.ts";

/** Attributes by name. */
export type ResourceAttributes = ReadonlyMap<string, string>;

/** Facts of the host, as they are read. */
export interface HostFacts {
  readonly hostname: string;
  /** As Rust names it: `x86_64`, `aarch64`. */
  readonly arch: string;
  readonly kernelRelease: string;
  /** Text of `/etc/os-release`; "" if there is none. */
  readonly osRelease: string;
}

/** OpenTelemetry's names of processors. */
const ARCHES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };

/** Reads the facts of this host. */
export function readHostFacts(): HostFacts {
  return {
    // Deno wants one more permission for it.
    hostname: readKernelText("/proc/sys/kernel/hostname").trim(),
    arch: Deno.build.arch,
    kernelRelease: Deno.osRelease(),
    osRelease: readIfThere("/etc/os-release"),
  };
}

/**
 * Attributes of the host and of kmeter; those of the variables win over them, `OTEL_SERVICE_NAME` over
 * all. The id of the instance is new with every start, as OpenTelemetry has it.
 *
 * Throws: UsageError for variables that are not as the standard has them.
 */
export function resourceAttributes(
  facts: HostFacts,
  options: { readonly version: string; readonly environment: Environment },
): ResourceAttributes {
  const { version, environment } = options;
  const os = parseOsRelease(facts.osRelease);
  const attributes = new Map([
    ["service.name", "kmeter"],
    ["service.version", version],
    ["service.instance.id", crypto.randomUUID()],
    ["host.name", facts.hostname],
    ["host.arch", ARCHES[facts.arch] ?? facts.arch],
    ["os.type", "linux"],
    ["os.name", os.get("NAME") ?? ""],
    ["os.version", os.get("VERSION_ID") ?? ""],
    ["os.description", os.get("PRETTY_NAME") ?? ""],
    ["os.kernel.release", facts.kernelRelease],
  ]);
  const more = readVariable(environment, "OTEL_RESOURCE_ATTRIBUTES");
  if (more !== undefined) {
    for (const [name, value] of parsePairs(more)) attributes.set(name, value);
  }
  const service = readVariable(environment, "OTEL_SERVICE_NAME");
  if (service !== undefined) attributes.set("service.name", service.value);
  for (const [name, value] of attributes) if (value === "") attributes.delete(name);
  return attributes;
}

function parseOsRelease(text: string): Map<string, string> {
  const lines = text.matchAll(/^([A-Z_]+)=(?:"(.*)"|'(.*)'|(.*))$/gm);
  return new Map([...lines].map(([, name, ...values]) => [name, values.join("")]));
}

function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
