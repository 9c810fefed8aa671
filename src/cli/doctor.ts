/** `kmeter doctor`: what this machine can do. */

import { type Finding, loadingPrivilege, probeGadgets, probeHost } from "../engine/mod.ts";
import { type CommandBody, HELP_FLAG } from "./command.ts";
import { parseFlags, refuseArguments, refuseUnknownFlags } from "./flags.ts";
import { chooseLibbpf, LIBBPF_FLAG } from "./libbpf_flag.ts";
import { type Limit, limitsInForce } from "./limits.ts";
import { writeOutput } from "./output.ts";

const FLAGS = [LIBBPF_FLAG, HELP_FLAG];

export const doctorCommand: CommandBody = {
  usage: "[flags]",
  details:
    "Loads and attaches every built-in gadget for a moment, and tells the limits that kmeter sets\n" +
    "itself. Exits with 1 if anything fails.",
  flags: FLAGS,
  run(args) {
    const flags = parseFlags(args, FLAGS);
    refuseUnknownFlags(flags, FLAGS);
    refuseArguments(flags, "doctor");
    chooseLibbpf(flags);
    const host = probeHost();
    writeOutput(`kernel ${Deno.osRelease()} ${Deno.build.arch}\n`);
    writeOutput(host.map(describeFinding).join(""));
    writeOutput(`limits\n${describeLimits(limitsInForce())}`);
    if (loadingPrivilege() === undefined) {
      writeOutput("built-in gadgets\n  not tried: that needs privileges\n");
      return 1;
    }
    writeOutput("built-in gadgets\n");
    const gadgets = probeGadgets();
    writeOutput(gadgets.map(describeFinding).join(""));
    return [...host, ...gadgets].every(({ isOk }) => isOk) ? 0 : 1;
  },
};

function describeLimits(limits: readonly Limit[]): string {
  const subjectWidth = Math.max(...limits.map(({ subject }) => subject.length));
  const valueWidth = Math.max(...limits.map(({ value }) => value.length));
  return limits.map(({ subject, value, effect }) =>
    `  ${subject.padEnd(subjectWidth)}  ${value.padEnd(valueWidth)}  ${effect}\n`
  ).join("");
}

function describeFinding({ subject, isOk, detail, hint }: Finding): string {
  const line = `  ${isOk ? "ok  " : "FAIL"}  ${subject.padEnd(16)}  ${
    detail.replaceAll("\n", "\n        ")
  }\n`;
  return isOk || hint === undefined ? line : `${line}        hint: ${hint}\n`;
}
