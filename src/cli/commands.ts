/** All commands. */

import type { Command } from "./command.ts";

/** In the order of the overview. Help, the man page and completions are made of this table. */
export const COMMANDS: readonly Command[] = [
  {
    name: "run",
    summary: "run one gadget: show its rows, serve its metrics",
    load: async () => (await import("./run.ts")).runCommand,
  },
  {
    name: "serve",
    summary: "run many gadgets in one process, and serve their metrics",
    load: async () => (await import("./serve.ts")).serveCommand,
  },
  {
    name: "list",
    summary: "the built-in gadgets, one line each",
    load: async () => (await import("./list.ts")).listCommand,
  },
  {
    name: "inspect",
    summary: "data sources, fields, parameters and metrics of a gadget",
    load: async () => (await import("./inspect.ts")).inspectCommand,
  },
  {
    name: "init",
    summary: "make a folder with a gadget to begin with",
    load: async () => (await import("./init.ts")).initCommand,
  },
  {
    name: "build",
    summary: "compile a gadget's program.bpf.c to program.bpf.o",
    load: async () => (await import("./build.ts")).buildCommand,
  },
  {
    name: "ps",
    summary: "list the gadgets of a running kmeter serve",
    load: async () => (await import("./control_commands.ts")).psCommand,
  },
  {
    name: "start",
    summary: "start one more gadget in a running kmeter serve",
    load: async () => (await import("./control_commands.ts")).startCommand,
  },
  {
    name: "stop",
    summary: "stop a gadget of a running kmeter serve",
    load: async () => (await import("./control_commands.ts")).stopCommand,
  },
  {
    name: "logs",
    summary: "show what the gadgets of a running kmeter serve have warned of",
    load: async () => (await import("./control_commands.ts")).logsCommand,
  },
  {
    name: "attach",
    summary: "show the rows of a gadget of a running kmeter serve",
    load: async () => (await import("./control_commands.ts")).attachCommand,
  },
  {
    name: "dashboard",
    summary: "a Grafana dashboard of a gadget's metrics, as JSON",
    load: async () => (await import("./dashboard.ts")).dashboardCommand,
  },
  {
    name: "rules",
    summary: "Prometheus alert rules for kmeter's own health, as YAML",
    load: async () => (await import("./rules.ts")).rulesCommand,
  },
  {
    name: "doctor",
    summary: "what this kernel can do, and which built-in gadgets run on it",
    load: async () => (await import("./doctor.ts")).doctorCommand,
  },
  {
    name: "version",
    summary: "versions of kmeter and of what it runs on",
    load: async () => (await import("./version.ts")).versionCommand,
  },
];
