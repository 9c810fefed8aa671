/** Completion for fish. */

import type { Flag } from "../../src/cli/mod.ts";
import {
  argumentKindOf,
  type CompletionTable,
  HELP_WORD,
  TOP_FLAGS,
  valueKindOf,
} from "./word_kinds.ts";
import type { WholeCommand } from "./whole_command.ts";

/** A script that fish reads, for example as `vendor_completions.d/kmeter.fish`. */
export function fishCompletion({ commands, gadgets }: CompletionTable): string {
  const first = [
    ...commands.map(({ name, summary }) => ({ name, description: summary })),
    HELP_WORD,
  ];
  const lines = [
    ...first.map(({ name, description }) =>
      rule("__kmeter_wants_command", `-a ${name}`, description)
    ),
    ...TOP_FLAGS.map((flag) => flagRule("__kmeter_wants_command", flag)),
    ...commands.map(({ name, summary }) =>
      rule("__kmeter_wants_argument help", `-a ${name}`, summary)
    ),
    ...commands.flatMap((command) => [
      ...argumentRules(command),
      ...command.flags.map((flag) => flagRule(`__kmeter_is ${command.name}`, flag)),
    ]),
    ...gadgetCommands(commands).flatMap((command) =>
      gadgets.map(({ name, description }) =>
        rule(`__kmeter_wants_argument ${command}`, `-a ${name}`, description)
      )
    ),
  ];
  return `# fish completion of kmeter, made by scripts/gen_completions.ts

function __kmeter_wants_command
    test (count (commandline -opc)) -eq 1
end

function __kmeter_is --argument-names name
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test $words[2] = $name
end

# True until the command has an argument that is no flag.
function __kmeter_wants_argument --argument-names name
    set -l words (commandline -opc)
    __kmeter_is $name; and begin
        test (count $words) -eq 2; or string match -q -- '-*' $words[3]
    end
end

complete -c kmeter -f
${lines.join("\n")}
`;
}

function gadgetCommands(commands: readonly WholeCommand[]): string[] {
  return commands.filter((command) => argumentKindOf(command) === "gadget").map(({ name }) => name);
}

function argumentRules(command: WholeCommand): string[] {
  switch (argumentKindOf(command)) {
    case "gadget":
      return [
        `complete -c kmeter -n ${quote(`__kmeter_wants_argument ${command.name}`)} ` +
        "-k -a '(__fish_complete_suffix .bpf.o)'",
      ];
    case "folder":
      return [
        `complete -c kmeter -n ${quote(`__kmeter_is ${command.name}`)} ` +
        "-a '(__fish_complete_directories)'",
      ];
    case "none":
      return [];
  }
}

function flagRule(condition: string, flag: Flag): string {
  const spelling = `-l ${flag.name}${flag.short === undefined ? "" : ` -s ${flag.short}`}`;
  return rule(condition, spelling + valueOption(flag), flag.description);
}

function valueOption(flag: Flag): string {
  switch (valueKindOf(flag)) {
    case undefined:
      return "";
    case "file":
      return " -r -F";
    case "choice":
      return ` -x -a ${quote(flag.choices?.join(" ") ?? "")}`;
    case "free":
      return " -x";
  }
}

function rule(condition: string, options: string, description: string): string {
  return `complete -c kmeter -n ${quote(condition)} ${options} -d ${quote(description)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
