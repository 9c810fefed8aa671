/** libbpf's functions (1.0 or newer) with their C types, and its log. */

import { bindLazily, findLibrary, type LibraryNames } from "./lazy_library.ts";
import { libc } from "./libc.ts";
import { shippedNames } from "./shipped_library.ts";

const TABLE = {
  libbpf_set_print: { parameters: ["function"], result: "pointer" }, // libbpf_print_fn_t fn
  libbpf_version_string: { parameters: [], result: "pointer" }, // const char *

  bpf_object__open_mem: {
    parameters: [
      "buffer", // const void *obj_buf
      "usize", // size_t obj_buf_sz
      "buffer", // const struct bpf_object_open_opts *opts
    ],
    result: "pointer", // struct bpf_object *, NULL and errno on error
  },
  bpf_object__load: { parameters: ["pointer"], result: "i32" }, // struct bpf_object *obj
  bpf_object__close: { parameters: ["pointer"], result: "void" }, // struct bpf_object *obj
  bpf_object__next_program: {
    parameters: ["pointer", "pointer"], // const struct bpf_object *obj, struct bpf_program *prog
    result: "pointer", // struct bpf_program *
  },
  bpf_object__next_map: {
    parameters: ["pointer", "pointer"], // const struct bpf_object *obj, const struct bpf_map *map
    result: "pointer", // struct bpf_map *
  },

  bpf_program__name: { parameters: ["pointer"], result: "pointer" }, // const struct bpf_program *
  bpf_program__section_name: { parameters: ["pointer"], result: "pointer" }, // const struct bpf_program *
  bpf_program__type: { parameters: ["pointer"], result: "u32" }, // enum bpf_prog_type
  bpf_program__fd: { parameters: ["pointer"], result: "i32" }, // int
  bpf_program__set_autoload: { parameters: ["pointer", "bool"], result: "i32" }, // prog, bool autoload
  bpf_program__set_type: { parameters: ["pointer", "u32"], result: "i32" }, // prog, enum bpf_prog_type
  bpf_program__set_attach_target: {
    parameters: ["pointer", "i32", "buffer"], // prog, int attach_prog_fd, const char *attach_func_name
    result: "i32",
  },
  bpf_program__attach: { parameters: ["pointer"], result: "pointer" }, // → struct bpf_link *
  bpf_program__attach_perf_event: { parameters: ["pointer", "i32"], result: "pointer" }, // prog, int pfd
  bpf_program__attach_tracepoint: {
    parameters: ["pointer", "buffer", "buffer"], // prog, const char *tp_category, const char *tp_name
    result: "pointer",
  },
  bpf_program__attach_raw_tracepoint: {
    parameters: ["pointer", "buffer"], // prog, const char *tp_name
    result: "pointer",
  },
  bpf_program__attach_kprobe: {
    parameters: ["pointer", "bool", "buffer"], // prog, bool retprobe, const char *func_name
    result: "pointer",
  },
  bpf_program__attach_iter: {
    parameters: ["pointer", "buffer"], // prog, const struct bpf_iter_attach_opts *opts
    result: "pointer",
  },
  bpf_link__destroy: { parameters: ["pointer"], result: "i32" }, // struct bpf_link *
  bpf_link__fd: { parameters: ["pointer"], result: "i32" }, // const struct bpf_link *
  bpf_iter_create: { parameters: ["i32"], result: "i32" }, // int link_fd

  bpf_map__name: { parameters: ["pointer"], result: "pointer" }, // const char *
  bpf_map__type: { parameters: ["pointer"], result: "u32" }, // enum bpf_map_type
  bpf_map__fd: { parameters: ["pointer"], result: "i32" },
  bpf_map__key_size: { parameters: ["pointer"], result: "u32" },
  bpf_map__value_size: { parameters: ["pointer"], result: "u32" },
  bpf_map__max_entries: { parameters: ["pointer"], result: "u32" },
  bpf_map__map_flags: { parameters: ["pointer"], result: "u32" }, // BPF_F_…
  bpf_map__set_max_entries: { parameters: ["pointer", "u32"], result: "i32" },
  bpf_map__set_type: { parameters: ["pointer", "u32"], result: "i32" }, // enum bpf_map_type
  bpf_map__set_key_size: { parameters: ["pointer", "u32"], result: "i32" },
  bpf_map__set_value_size: { parameters: ["pointer", "u32"], result: "i32" },
  bpf_map_create: {
    parameters: [
      "u32", // enum bpf_map_type map_type
      "buffer", // const char *map_name, NULL for none
      "u32", // __u32 key_size
      "u32", // __u32 value_size
      "u32", // __u32 max_entries
      "buffer", // const struct bpf_map_create_opts *opts, NULL for defaults
    ],
    result: "i32", // int fd, negative errno
  },
  bpf_map__initial_value: {
    parameters: ["pointer", "buffer"], // struct bpf_map *map, size_t *psize
    result: "pointer", // void *: the bytes of .rodata, .data or .bss before loading
  },

  bpf_map_lookup_elem: {
    parameters: ["i32", "buffer", "buffer"], // int fd, const void *key, void *value
    result: "i32",
  },
  bpf_map_update_elem: {
    parameters: ["i32", "buffer", "buffer", "u64"], // int fd, const void *key, const void *value, __u64 flags
    result: "i32",
  },
  bpf_map_delete_elem: { parameters: ["i32", "buffer"], result: "i32" }, // int fd, const void *key
  bpf_map_lookup_and_delete_elem: {
    parameters: ["i32", "buffer", "buffer"], // int fd, const void *key, void *value
    result: "i32",
  },
  bpf_map_get_next_key: {
    parameters: ["i32", "buffer", "buffer"], // int fd, const void *key or NULL, void *next_key
    result: "i32",
  },
  bpf_map_lookup_batch: {
    parameters: [
      "i32", // int fd
      "buffer", // void *in_batch, NULL to start
      "buffer", // void *out_batch
      "buffer", // void *keys
      "buffer", // void *values
      "buffer", // __u32 *count: room in, entries out
      "buffer", // const struct bpf_map_batch_opts *opts, NULL for defaults
    ],
    result: "i32",
  },
  bpf_map_lookup_and_delete_batch: {
    parameters: ["i32", "buffer", "buffer", "buffer", "buffer", "buffer", "buffer"], // as above
    result: "i32",
  },
  // The same two on a thread of Deno's pool. They print nothing: the log's callback is no use there.
  pool_map_lookup_batch: {
    name: "bpf_map_lookup_batch",
    parameters: ["i32", "buffer", "buffer", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  pool_map_lookup_and_delete_batch: {
    name: "bpf_map_lookup_and_delete_batch",
    parameters: ["i32", "buffer", "buffer", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
    nonblocking: true,
  },

  bpf_obj_get_info_by_fd: {
    parameters: ["i32", "buffer", "buffer"], // int bpf_fd, void *info, __u32 *info_len
    result: "i32",
  },
  bpf_enable_stats: { parameters: ["u32"], result: "i32" }, // enum bpf_stats_type
  bpf_prog_test_run_opts: {
    parameters: ["i32", "buffer"], // int prog_fd, struct bpf_test_run_opts *opts
    result: "i32",
    nonblocking: true,
  },
  libbpf_num_possible_cpus: { parameters: [], result: "i32" },

  btf__parse: {
    parameters: ["buffer", "buffer"], // const char *path, struct btf_ext **btf_ext or NULL
    result: "pointer", // struct btf *, NULL and errno on error
  },
  btf__type_cnt: { parameters: ["pointer"], result: "u32" }, // const struct btf *; void (id 0) counts
  btf__free: { parameters: ["pointer"], result: "void" }, // struct btf *
  btf_dump__new: {
    parameters: [
      "pointer", // const struct btf *btf, which must outlive the result
      "pointer", // btf_dump_printf_fn_t: void (*)(void *ctx, const char *fmt, va_list args)
      "pointer", // void *ctx
      "buffer", // const struct btf_dump_opts *opts, NULL for defaults
    ],
    result: "pointer", // struct btf_dump *, NULL and errno on error
  },
  btf_dump__dump_type: { parameters: ["pointer", "u32"], result: "i32" }, // struct btf_dump *d, __u32 id
  btf_dump__free: { parameters: ["pointer"], result: "void" }, // struct btf_dump *
} as const satisfies Deno.ForeignLibraryInterface;

const LIBBPF = {
  names: ["libbpf.so.1", "libbpf.so"],
  hint: "install libbpf 1.0 or newer: apt-get install libbpf1",
};

type Libbpf = Deno.DynamicLibrary<typeof TABLE>["symbols"];
const state: { libbpf?: Libbpf; path?: string; opened?: string; log: LibbpfLog } = {
  log: newLog(),
};

/** Uses the libbpf in this file and no other. Call it before anything else needs libbpf. */
export function useLibbpf(path: string): void {
  state.path = path;
}

/** What `useLibbpf` was given, for other threads: each opens libbpf for itself. */
export function chosenLibbpf(): string | undefined {
  return state.path;
}

/** libbpf's functions. Opens the library and captures its log at the first call. */
export function libbpf(): Libbpf {
  if (state.libbpf === undefined) {
    state.opened = findLibrary(wantedLibrary());
    state.libbpf = bindLazily(state.opened, TABLE);
    state.libbpf.libbpf_set_print(capture.pointer());
  }
  return state.libbpf;
}

function wantedLibrary(): LibraryNames {
  if (state.path === undefined) return shippedNames() ?? LIBBPF;
  return { names: [state.path], hint: "--libbpf and KMETER_LIBBPF take the path of a libbpf.so.1" };
}

/** Version text, for example `v1.1`. */
export function libbpfVersion(): string {
  return readCString(libbpf().libbpf_version_string()) ?? "unknown";
}

/** Which libbpf is used: `shipped`, `given: PATH` or `system: NAME`. Opens it if nobody has. */
export function libbpfOrigin(): string {
  libbpf();
  if (state.path !== undefined) return `given: ${state.path}`;
  return shippedNames() === undefined ? `system: ${state.opened}` : "shipped";
}

/** Reads a NUL-terminated string that libbpf owns; undefined for NULL. */
export function readCString(pointer: Deno.PointerValue): string | undefined {
  return pointer === null ? undefined : Deno.UnsafePointerView.getCString(pointer);
}

/** NUL-terminated UTF-8 bytes for a `const char *`. */
export function toCString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text + "\0");
}

/** The last lines that libbpf printed at warning level: bounded, oldest out first. */
interface LibbpfLog {
  lines: string[];
}

function newLog(): LibbpfLog {
  return { lines: [] };
}

/** Lines kept; a verifier log never comes this way, it has a buffer of its own. */
export const LIBBPF_LOG_LINES = 50;
/** Room for each; longer ones are cut. */
export const LIBBPF_LINE_BYTES = 2048;
const LEVEL_WARN = 0;

/** Removes and returns the warnings since the last call. */
export function takeLibbpfLog(): string[] {
  const lines = state.log.lines;
  state.log = newLog();
  return lines;
}

const capture = {
  callback: undefined as Deno.UnsafeCallback | undefined,
  /** `int (*)(enum libbpf_print_level, const char *format, va_list)`; made once, never freed. */
  pointer(): Deno.PointerValue {
    this.callback ??= new Deno.UnsafeCallback(
      { parameters: ["u32", "pointer", "pointer"], result: "i32" },
      (level, format, values) => {
        // An exception would be swallowed by the FFI layer, so nothing here may throw.
        if (level !== LEVEL_WARN) return 0;
        const line = new Uint8Array(LIBBPF_LINE_BYTES);
        const length = libc().vsnprintf(line, BigInt(LIBBPF_LINE_BYTES), format, values);
        const end = Math.min(Math.max(length, 0), LIBBPF_LINE_BYTES - 1);
        state.log.lines.push(new TextDecoder().decode(line.subarray(0, end)).trimEnd());
        if (state.log.lines.length > LIBBPF_LOG_LINES) state.log.lines.shift();
        return 0;
      },
    ) as Deno.UnsafeCallback;
    return this.callback.pointer;
  },
};
