/** What a test may not leave behind: eBPF programs, maps and links, descriptors, mappings. */

import { runTool } from "./oracles.ts";

/** Kinds of kernel objects, as bpftool names them and as /proc/PID/fdinfo names their ids. */
const KINDS = { prog: "prog_id", map: "map_id", link: "link_id" } as const;
type Kind = keyof typeof KINDS;
type Held = Record<Kind, Set<number>>;

/** The kernel frees programs and maps some time after the last descriptor is closed. */
const FREE_DEADLINE_MS = 2000;
const RETRY_MS = 20;

/** State before a test. */
export interface Before {
  readonly held: Held;
  readonly loaded: Held;
  readonly descriptors: readonly string[];
  readonly mappings: readonly string[];
}

/** eBPF objects that this process holds by descriptors. */
export function heldByThisProcess(): Held {
  return heldBy("self");
}

/** Takes the state that a test must come back to. */
export async function rememberState(): Promise<Before> {
  return {
    held: heldByThisProcess(),
    loaded: await loadedInKernel(),
    descriptors: openDescriptors(),
    mappings: mapMappings(),
  };
}

/**
 * Throws if the test left something.
 *
 * Other processes load and unload at the same time, so an object counts as left only if it is new
 * and nobody else has a descriptor of it, and if this process held it or it has a given name.
 * @param used what the test held at any time, and the names of what it tried to load.
 */
export async function expectNothingLeft(
  before: Before,
  used: { held: Held; names: ReadonlySet<string> },
): Promise<void> {
  const deadlineMs = performance.now() + FREE_DEADLINE_MS;
  for (;;) {
    const left = [...await leftInKernel(before, used), ...leftInProcess(before)];
    if (left.length === 0) return;
    if (performance.now() > deadlineMs) throw new Error(`left behind:\n  ${left.join("\n  ")}`);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function leftInKernel(
  before: Before,
  used: { held: Held; names: ReadonlySet<string> },
): Promise<string[]> {
  const left: string[] = [];
  for (const kind of kinds()) {
    for (const { id, name } of await list(kind)) {
      if (before.loaded[kind].has(id)) continue;
      if (!used.held[kind].has(id) && !used.names.has(name)) continue;
      if (!isHeldByOthers(kind, id)) left.push(`${kind} ${id} ${name}`);
    }
  }
  return left;
}

function leftInProcess(before: Before): string[] {
  const left: string[] = [];
  const now = heldByThisProcess();
  for (const kind of kinds()) {
    for (const id of now[kind]) {
      if (!before.held[kind].has(id)) left.push(`descriptor of ${kind} ${id}`);
    }
  }
  const descriptors = openDescriptors();
  if (descriptors.length > before.descriptors.length) {
    left.push(`descriptors ${descriptors.join(" ")}, before ${before.descriptors.join(" ")}`);
  }
  const mappings = mapMappings().filter((mapping) => !before.mappings.includes(mapping));
  return [...left, ...mappings.map((mapping) => `mapping ${mapping}`)];
}

/** Memory of eBPF maps in this process: rings, above all. */
function mapMappings(): string[] {
  return Deno.readTextFileSync("/proc/self/maps").split("\n")
    .filter((line) => line.includes("anon_inode:bpf-map"));
}

async function loadedInKernel(): Promise<Held> {
  const loaded = noObjects();
  for (const kind of kinds()) for (const { id } of await list(kind)) loaded[kind].add(id);
  return loaded;
}

/** bpftool fails for what comes or goes in another process while it looks. */
const LIST_ATTEMPTS = 10;

async function list(
  kind: Kind,
  attempts = LIST_ATTEMPTS,
): Promise<{ id: number; name: string }[]> {
  let text: string;
  try {
    text = await runTool("bpftool", ["-j", kind, "show"]);
  } catch (error) {
    if (attempts === 1) throw error;
    await new Promise((resolve) => setTimeout(resolve, 50));
    return await list(kind, attempts - 1);
  }
  const objects = JSON.parse(text || "[]") as { id: number; name?: string }[];
  return objects.map(({ id, name = "" }) => ({ id, name }));
}

function isHeldByOthers(kind: Kind, id: number): boolean {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === Deno.pid) continue;
    if (heldBy(name)[kind].has(id)) return true;
  }
  return false;
}

function heldBy(process: string): Held {
  const held = noObjects();
  for (const file of listFolder(`/proc/${process}/fdinfo`)) {
    const text = readIfThere(`/proc/${process}/fdinfo/${file}`);
    for (const kind of kinds()) {
      const id = new RegExp(`^${KINDS[kind]}:\\s*(\\d+)`, "m").exec(text)?.[1];
      // The prog_id of a link's descriptor is the program it holds, not a descriptor of it.
      if (id !== undefined && !(kind === "prog" && /^link_id:/m.test(text))) {
        held[kind].add(Number(id));
      }
    }
  }
  return held;
}

/** Open descriptors with what they are. The one that lists them is among them each time. */
function openDescriptors(): string[] {
  return listFolder("/proc/self/fd").map((fd) => {
    try {
      return `${fd}=${Deno.readLinkSync(`/proc/self/fd/${fd}`)}`;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return `${fd}=closed`;
      throw error;
    }
  });
}

function listFolder(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => name);
  } catch (error) {
    if (cannotBeSeen(error)) return [];
    throw error;
  }
}

function readIfThere(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (cannotBeSeen(error)) return "";
    throw error;
  }
}

/** Processes end while they are listed (ESRCH has no class of its own); some show themselves to nobody. */
function cannotBeSeen(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
    error instanceof Error && error.message.includes("os error 3)");
}

/** No objects. */
export function noObjects(): Held {
  return { prog: new Set(), map: new Set(), link: new Set() };
}

/** Adds what is held now. */
export function addHeld(to: Held): void {
  const now = heldByThisProcess();
  for (const kind of kinds()) for (const id of now[kind]) to[kind].add(id);
}

function kinds(): Kind[] {
  return Object.keys(KINDS) as Kind[];
}
