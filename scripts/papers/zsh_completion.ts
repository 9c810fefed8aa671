/** Completion for zsh. */

import type { Flag } from "../../src/cli/mod.ts";
import {
  argumentKindOf,
  type CompletionTable,
  type Described,
  HELP_WORD,
  spellingsOf,
  TOP_FLAGS,
  valueKindOf,
} from "./word_kinds.ts";
import type { WholeCommand } from "./whole_command.ts";

/** A function file that zsh finds on `fpath` as `_kmeter`. */
export function zshCompletion({ commands, gadgets }: CompletionTable): string {
  const described = commands.map(({ name, summary }) => ({ name, description: summary }));
  return `#compdef kmeter
# zsh completion of kmeter, made by scripts/gen_completions.ts

_kmeter() {
  local curcontext=$curcontext state line result=1
  local -A opt_args
  _arguments -C \\
${continued([...TOP_FLAGS.flatMap(flagSpecs), "1: :->command", "*:: :->argument"])} && result=0
  case $state in
    command) _kmeter_commands ${HELP_WORD.name} && result=0 ;;
    argument)
      curcontext=\${curcontext%:*}-$words[1]:
      case $words[1] in
        ${HELP_WORD.name}) ((CURRENT > 2)) || _kmeter_commands && result=0 ;;
${commands.map(commandCase).join("")}      esac
      ;;
  esac
  return result
}

_kmeter_commands() { # [help]
  local -a commands=(
${described.map(wordLine).join("")}  )
  (($# == 0)) || commands+=(${quote(wordSpec(HELP_WORD))})
  _describe -t commands command commands
}

_kmeter_gadgets() {
  local -a gadgets=(
${gadgets.map(wordLine).join("")}  )
  local result=1
  _describe -t gadgets 'built-in gadget' gadgets && result=0
  _files -g '*.bpf.o(-.)' && result=0
  return result
}

_kmeter "$@"
`;
}

function wordLine(word: Described): string {
  return `    ${quote(wordSpec(word))}\n`;
}

function wordSpec({ name, description }: Described): string {
  return `${name}:${description}`;
}

function commandCase(command: WholeCommand): string {
  const specs = [...command.flags.flatMap(flagSpecs), ...argumentSpecs(command)];
  return `        ${command.name})
          _arguments -s \\
${continued(specs, "            ")} && result=0
          ;;
`;
}

function argumentSpecs(command: WholeCommand): string[] {
  switch (argumentKindOf(command)) {
    case "gadget":
      return ["1:gadget:_kmeter_gadgets"];
    case "folder":
      return ["*:folder:_files -/"];
    case "none":
      return [];
  }
}

/** One for each spelling: brace expansion would need half of it quoted. */
function flagSpecs(flag: Flag): string[] {
  const spellings = spellingsOf(flag);
  const once = flag.repeats ? "*" : spellings.length > 1 ? `(${spellings.join(" ")})` : "";
  const text = `[${flag.description.replace(/[\\\]]/g, "\\$&")}]`;
  return spellings.map((spelling) => {
    // "+": the value may follow a letter at once; "=": or a name, behind a "=".
    const sign = flag.value === undefined ? "" : spelling.startsWith("--") ? "=" : "+";
    return `${once}${spelling}${sign}${text}${valueSpec(flag)}`;
  });
}

function valueSpec(flag: Flag): string {
  const message = flag.value?.replaceAll(":", "\\:");
  switch (valueKindOf(flag)) {
    case undefined:
      return "";
    case "file":
      return `:${message}:_files`;
    case "choice":
      return `:${message}:(${flag.choices?.join(" ")})`;
    case "free":
      return `:${message}: `;
  }
}

function continued(specs: readonly string[], indent = "    "): string {
  return specs.map((spec) => `${indent}${quote(spec)}`).join(" \\\n");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
