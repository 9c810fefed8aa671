/** What is loaded in the kernel, to show that kmeter leaves nothing there. */

import { runTool, sleep } from "./kmeter_process.ts";

const KINDS = ["prog", "map", "link"] as const;
/** The kernel frees objects some time after their last descriptor is closed. */
const GRACE_MS = 5000;

/** Ids such as `prog 17` of everything that is loaded. */
export async function listKernelObjects(): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const kind of KINDS) {
    const { stdout } = await runTool(["/usr/sbin/bpftool", "-j", kind, "show"]);
    const objects: { id: number }[] = JSON.parse(stdout);
    for (const { id } of objects) ids.add(`${kind} ${id}`);
  }
  return ids;
}

/**
 * Waits until nothing is loaded that was not there `before`, apart from what other processes hold.
 * Throws: Error that lists what is left.
 */
export async function assertNothingLeft(before: ReadonlySet<string>): Promise<void> {
  const deadlineMs = performance.now() + GRACE_MS;
  for (;;) {
    const added = [...await listKernelObjects()].filter((id) => !before.has(id));
    if (added.length === 0) return;
    const held = idsHeldByProcesses();
    const left = added.filter((id) => !held.has(id));
    if (left.length === 0) return;
    if (performance.now() > deadlineMs) throw new Error(`left in the kernel: ${left.join(", ")}`);
    await sleep(50);
  }
}

/** Ids of the objects that some process has a descriptor of: other tests and tools load programs too. */
function idsHeldByProcesses(): Set<string> {
  const held = new Set<string>();
  for (const { name: pid } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of descriptors(pid)) {
      const info = readIfThere(`/proc/${pid}/fdinfo/${fd}`);
      for (const [, kind, id] of info.matchAll(/^(prog|map|link)_id:\s*(\d+)/gm)) {
        held.add(`${kind} ${id}`);
      }
    }
  }
  return held;
}

function descriptors(pid: string): string[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => name);
  } catch (error) {
    if (isOutOfSight(error)) return [];
    throw error;
  }
}

function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (isOutOfSight(error)) return "";
    throw error;
  }
}

/** The process or descriptor has gone meanwhile (ENOENT, ESRCH), or belongs to a system that hides it. */
function isOutOfSight(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
    error instanceof Error && error.message.includes("os error 3)");
}
