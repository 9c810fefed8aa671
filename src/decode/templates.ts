/** Default annotations of fields: what every field starts with, and sets of them by name. */

/** String annotations of a field. */
export type FieldAnnotations = Readonly<Record<string, string>>;

const DEFAULT_ANNOTATIONS: FieldAnnotations = {
  "columns.width": "16",
  "columns.ellipsis": "end",
};

const NARROW_NUMBER = { "columns.alignment": "right", "columns.minwidth": "7" };
const WIDE_NUMBER = { "columns.alignment": "right", "columns.minwidth": "8" };
const NAMESPACE = {
  "columns.width": "12",
  "columns.alignment": "right",
  "columns.hidden": "true",
};

/** Values of the `template` annotation of gadget.yaml. */
const TEMPLATES: ReadonlyMap<string, FieldAnnotations> = new Map<string, FieldAnnotations>([
  ["timestamp", {
    "columns.width": "35",
    "columns.maxwidth": "35",
    "columns.hidden": "true",
    description: "Time of the event",
  }],
  ["bytes", { "columns.width": "10", "columns.alignment": "right" }],
  ["duration", { "columns.width": "12", "columns.alignment": "right" }],
  ["node", { "columns.width": "30", "columns.ellipsis": "middle" }],
  ["pod", { "columns.width": "30", "columns.ellipsis": "middle" }],
  ["container", { "columns.width": "30" }],
  ["namespace", { "columns.width": "30" }],
  ["containerImageName", { "columns.width": "30" }],
  ["containerImageDigest", { "columns.width": "30" }],
  ["containerStartedAt", { "columns.width": "35", "columns.hidden": "true" }],
  ["containerPid", { ...NARROW_NUMBER, "columns.hidden": "true" }],
  ["comm", { "columns.maxwidth": "16", description: "Process name" }],
  ["pcomm", {
    "columns.maxwidth": "16",
    "columns.hidden": "true",
    description: "Name of the parent process",
  }],
  ["pid", { ...NARROW_NUMBER, description: "Process ID" }],
  ["ppid", { ...NARROW_NUMBER, "columns.hidden": "true", description: "Parent process ID" }],
  ["tid", { ...NARROW_NUMBER, description: "Thread ID" }],
  ["ptid", { ...NARROW_NUMBER, "columns.hidden": "true", description: "Parent thread ID" }],
  ["uid", { ...WIDE_NUMBER, description: "User ID" }],
  ["gid", { ...WIDE_NUMBER, description: "Group ID" }],
  ["ns", NAMESPACE],
  ["mntns_id", { ...NAMESPACE, description: "Inode of the mount namespace" }],
  ["netns_id", { ...NAMESPACE, description: "Inode of the network namespace" }],
  ["l4endpoint", {
    "columns.minwidth": "22",
    "columns.width": "40",
    "columns.maxwidth": "52",
  }],
  ["syscall", { "columns.width": "18", "columns.maxwidth": "28" }],
  ["errorString", { "columns.width": "12" }],
  ["user_stack", { "columns.width": "20", "columns.hidden": "true" }],
]);

/** Template of a C type name. */
const TEMPLATE_OF_TYPE: ReadonlyMap<string, string> = new Map([
  ["gadget_timestamp", "timestamp"],
  ["gadget_bytes", "bytes"],
  ["gadget_duration", "duration"],
  ["gadget_comm", "comm"],
  ["gadget_pcomm", "pcomm"],
  ["gadget_pid", "pid"],
  ["gadget_ppid", "ppid"],
  ["gadget_tid", "tid"],
  ["gadget_ptid", "ptid"],
  ["gadget_uid", "uid"],
  ["gadget_gid", "gid"],
  ["gadget_mntns_id", "mntns_id"],
  ["gadget_netns_id", "netns_id"],
  ["gadget_l4endpoint_t", "l4endpoint"],
  ["gadget_l3endpoint_t", "l4endpoint"],
  ["gadget_syscall", "syscall"],
  ["gadget_errno", "errorString"],
  ["gadget_user_stack", "user_stack"],
]);

/** Annotations of a `template` by name; undefined if there is no such template. */
export function findTemplate(name: string): FieldAnnotations | undefined {
  return TEMPLATES.get(name);
}

/** All names that `findTemplate` knows. */
export function templateNames(): string[] {
  return [...TEMPLATES.keys()];
}

/** Annotations of a new field: the defaults, then what the outermost C type with a template brings. */
export function initialAnnotations(typeNames: readonly string[]): FieldAnnotations {
  for (const name of typeNames) {
    const template = TEMPLATES.get(TEMPLATE_OF_TYPE.get(name) ?? "");
    if (template !== undefined) return { ...DEFAULT_ANNOTATIONS, ...template };
  }
  return DEFAULT_ANNOTATIONS;
}
