/** Tools that nobody here wrote, asked for the truth. */

const BPFTOOL = ["/usr/sbin/bpftool", "/sbin/bpftool", "/usr/bin/bpftool"];

/** Path of a tool; undefined if it is not installed. */
export function findTool(name: string): string | undefined {
  const places = name === "bpftool"
    ? BPFTOOL
    : ["/usr/bin", "/usr/sbin", "/bin", "/usr/local/bin"].map((folder) => `${folder}/${name}`);
  return places.find(isFile);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Runs a tool to its end. @returns its output. @throws with its messages if it fails. */
export async function runTool(name: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(findTool(name) ?? name, {
    args: [...args],
  }).output();
  const decoder = new TextDecoder();
  if (!success) {
    throw new Error(
      `${name} ${args.join(" ")}: ${decoder.decode(stderr)}${decoder.decode(stdout)}`,
    );
  }
  return decoder.decode(stdout);
}

/** One entry of a map, as `bpftool map dump` prints it by BTF. */
export interface DumpedEntry {
  readonly key: unknown;
  readonly value?: unknown;
  /** Of per-CPU maps, instead of one value. */
  readonly values?: readonly { readonly cpu: number; readonly value: unknown }[];
}

/**
 * Entries of a map that is loaded, by BTF. 64-bit numbers beyond 2^53 stay exact: they become text.
 * bpftool gives up within a value at its first float: what is behind it is missing.
 */
export async function dumpMap(id: number): Promise<DumpedEntry[]> {
  const text = await runTool("bpftool", ["-j", "map", "dump", "id", String(id)]);
  const valid = text.replaceAll("(unsupported-kind", "null");
  const exact = valid.replace(/([:[,])(-?\d{16,})(?=[,\]}])/g, '$1"$2"');
  const entries = JSON.parse(exact) as {
    formatted?: DumpedEntry;
    key?: unknown;
    value?: unknown;
  }[];
  return entries.map(({ formatted, key, value }) => formatted ?? { key, value });
}

/** Objects if there is no bpftrace to compare with. */
export function needsBpftrace(): string | undefined {
  return findTool("bpftrace") === undefined ? "no bpftrace" : undefined;
}

/** A bpftrace script at work. */
export interface Tracing extends AsyncDisposable {
  /** Ends the script. @returns its counts: `@name[key]: count` as `name[key]` → count. */
  counts(): Promise<Map<string, number>>;
}

const READY = "kmeter: ready";
/** Far longer than bpftrace needs to print its maps. */
const SIGINT_PAUSE_MS = 10_000;

/** Starts a bpftrace script; returns when its probes are attached. */
export async function traceWith(script: string): Promise<Tracing> {
  const child = new Deno.Command(findTool("bpftrace") ?? "bpftrace", {
    args: ["-q", "-B", "line", "-e", `BEGIN { printf("${READY}\\n"); } ${script}`],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let output = "";
  while (!output.includes(READY)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`bpftrace ended: ${await errors}`);
    output += value;
  }
  let isStopped = false;
  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    child.kill("SIGINT");
    // Rarely bpftrace does not notice the first one.
    const again = setInterval(() => child.kill("SIGINT"), SIGINT_PAUSE_MS);
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      output += part.value;
    }
    clearInterval(again);
    await child.status;
    await errors;
  };
  return {
    async counts() {
      await stop();
      return parseCounts(output);
    },
    [Symbol.asyncDispose]: stop,
  };
}

function parseCounts(output: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [, name, count] of output.matchAll(/^@(\S*?(?:\[.*\])?): (-?\d+)$/gm)) {
    counts.set(name, Number(count));
  }
  return counts;
}
