/** A group of processes with little memory, so that the kernel kills them. */

/** What a process in the group may have. */
export const MEMORY_LIMIT_BYTES: number = 20 << 20;

/** A memory cgroup of either version, to be killed in. Ownership: `using`. */
export class MemoryCgroup implements Disposable {
  readonly #folder: string;

  /** Where such groups can be made: v1 has a tree of its own. */
  static readonly roots: readonly { folder: string; limit: string }[] = [
    { folder: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes" },
    { folder: "/sys/fs/cgroup", limit: "memory.max" },
  ];

  constructor(name: string) {
    const failures: string[] = [];
    for (const { folder, limit } of MemoryCgroup.roots) {
      try {
        Deno.mkdirSync(`${folder}/${name}`);
        Deno.writeTextFileSync(`${folder}/${name}/${limit}`, String(MEMORY_LIMIT_BYTES), {
          create: false,
        });
        this.#folder = `${folder}/${name}`;
        return;
      } catch (error) {
        failures.push(`${folder}: ${error}`);
        removeIfThere(`${folder}/${name}`);
      }
    }
    throw new Error(`no memory cgroup: ${failures.join("; ")}`);
  }

  /** File that takes process ids. */
  get processes(): string {
    return `${this.#folder}/cgroup.procs`;
  }

  /** Kills by the kernel, as the group counts them. */
  oomKills(): number {
    for (const file of ["memory.oom_control", "memory.events"]) {
      try {
        const text = Deno.readTextFileSync(`${this.#folder}/${file}`);
        return Number(/^oom_kill (\d+)/m.exec(text)?.[1]);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    throw new Error(`${this.#folder} counts no kills`);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder);
  }
}

function removeIfThere(folder: string): void {
  try {
    Deno.removeSync(folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Why there can be no such group; undefined if there can. */
export function needsMemoryCgroup(): string | undefined {
  try {
    using _group = new MemoryCgroup(`kmeter_probe_${Deno.pid}`);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
