/** `kmeter rules`: Prometheus alert rules for kmeter's own health. */

// @ts-types="./_std_yaml.d.ts"
import { stringify } from "@std/yaml";
import { alertRules } from "../dashboard/mod.ts";
import { type CommandBody, HELP_FLAG } from "./command.ts";
import { type Flag, parseFlags, refuseArguments, refuseUnknownFlags } from "./flags.ts";
import { writeOutput } from "./output.ts";

const FLAGS: readonly Flag[] = [
  {
    name: "job",
    value: "NAME",
    description: "name of the job under which Prometheus scrapes kmeter (default kmeter)",
  },
  HELP_FLAG,
];

export const rulesCommand: CommandBody = {
  usage: "[flags]",
  flags: FLAGS,
  run(args) {
    const flags = parseFlags(args, FLAGS);
    refuseUnknownFlags(flags, FLAGS);
    refuseArguments(flags, "rules");
    writeOutput(stringify(alertRules(flags.text("job") ?? "kmeter"), { lineWidth: -1 }));
    return 0;
  },
};
