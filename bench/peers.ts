/** The C peers, compiled and bound. */

const FOLDER = new URL("./peers/", import.meta.url).pathname;

const TABLE = {
  peer_ring_open: { parameters: ["i32"], result: "i32" }, // int map_fd
  peer_ring_consume: { parameters: [], result: "i32" },
  peer_map_read_any: {
    parameters: ["i32", "u32", "u32"], // int fd, uint32_t key_size, uint32_t value_size
    result: "i32",
  },
  peer_map_read: { parameters: ["i32", "i32"], result: "i32" }, // int fd, int hash_rows
} as const satisfies Deno.ForeignLibraryInterface;

/** Compiles peers.c into a temporary file and binds it. */
export function openPeers(): Deno.DynamicLibrary<typeof TABLE>["symbols"] {
  const library = Deno.makeTempFileSync({ suffix: ".so" });
  try {
    const { success, stderr } = new Deno.Command("cc", {
      args: ["-O2", "-Wall", "-shared", "-fPIC", `${FOLDER}peers.c`, "-o", library, "-lbpf"],
    }).outputSync();
    if (!success) throw new Error(`cc failed: ${new TextDecoder().decode(stderr)}`);
    return Deno.dlopen(library, TABLE).symbols;
  } finally {
    // What is mapped stays mapped.
    Deno.removeSync(library);
  }
}
