/** All commands. */

import { attachCommand } from "./attach.ts";
import { buildCommand } from "./build.ts";
import type { Command } from "./command.ts";
import { logsCommand, psCommand, startCommand, stopCommand } from "./control_commands.ts";
import { dashboardCommand } from "./dashboard.ts";
import { doctorCommand } from "./doctor.ts";
import { initCommand } from "./init.ts";
import { inspectCommand } from "./inspect.ts";
import { listCommand } from "./list.ts";
import { rulesCommand } from "./rules.ts";
import { runCommand } from "./run.ts";
import { serveCommand } from "./serve.ts";
import { versionCommand } from "./version.ts";

/** In the order of the overview. Help, the man page and completions are made of this table. */
export const COMMANDS: readonly Command[] = [
  runCommand,
  serveCommand,
  listCommand,
  inspectCommand,
  initCommand,
  buildCommand,
  psCommand,
  startCommand,
  stopCommand,
  logsCommand,
  attachCommand,
  dashboardCommand,
  rulesCommand,
  doctorCommand,
  versionCommand,
];
