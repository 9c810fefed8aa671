/** Completion for bash, without the bash-completion package. */

import {
  argumentKindOf,
  type CompletionTable,
  HELP_WORD,
  spellingsOf,
  TOP_FLAGS,
  valueKindOf,
} from "./word_kinds.ts";
import type { WholeCommand } from "./whole_command.ts";

/** A script that bash reads, for example as `bash-completion/completions/kmeter`. */
export function bashCompletion({ commands, gadgets }: CompletionTable): string {
  const names = [...commands, HELP_WORD].map(({ name }) => name);
  return `# bash completion of kmeter, made by scripts/gen_completions.ts

_kmeter() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} flags="" kind=none
  COMPREPLY=()
  # Bash splits at "=": --output=json is three words.
  if [[ $word == "=" ]]; then
    word=""
  elif [[ $previous == "=" ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if ((COMP_CWORD == 1)); then
    _kmeter_words "${[...names, ...TOP_FLAGS.flatMap(spellingsOf)].join(" ")}"
    return
  fi
  case \${COMP_WORDS[1]} in
    ${HELP_WORD.name})
      ((COMP_CWORD > 2)) || _kmeter_words "${commands.map(({ name }) => name).join(" ")}"
      return
      ;;
${commands.map(commandCase).join("")}    *) return ;;
  esac
  # One gadget is enough.
  if [[ $kind == gadget ]] && ((COMP_CWORD > 2)) && [[ \${COMP_WORDS[2]} != -* ]]; then
    kind=none
  fi
  if [[ $word == -* || $kind == none ]]; then
    _kmeter_words "$flags"
  elif [[ $kind == folder ]]; then
    _kmeter_paths -d
  else
    _kmeter_words "${gadgets.map(({ name }) => name).join(" ")}"
    _kmeter_paths -d
    _kmeter_paths -f -X '!*.bpf.o'
  fi
}

_kmeter_words() { # WORDS: those of them that begin as "word" does
  mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$1" -- "$word")
}

_kmeter_paths() { # OPTION of compgen...: paths that begin as "word" does
  local -a paths
  mapfile -t paths < <(compgen "$@" -- "$word")
  ((\${#paths[@]} == 0)) && return
  COMPREPLY+=("\${paths[@]}")
  compopt -o filenames 2>/dev/null
}

complete -F _kmeter kmeter
`;
}

/** Sets `flags` and `kind`, or completes the value of the flag before. */
function commandCase(command: WholeCommand): string {
  const valued = command.flags.filter((flag) => flag.value !== undefined);
  const free = valued.filter((flag) => valueKindOf(flag) === "free").flatMap(spellingsOf);
  const files = valued.filter((flag) => valueKindOf(flag) === "file").flatMap(spellingsOf);
  const cases = [
    ...valued.filter((flag) => valueKindOf(flag) === "choice").map((flag) =>
      `${spellingsOf(flag).join(" | ")}) _kmeter_words "${flag.choices?.join(" ")}"; return ;;`
    ),
    ...(files.length === 0 ? [] : [`${files.join(" | ")}) _kmeter_paths -f; return ;;`]),
    ...(free.length === 0 ? [] : [`${free.join(" | ")}) return ;;`]),
  ];
  const values = cases.length === 0
    ? ""
    : `      case $previous in\n${cases.map((line) => `        ${line}\n`).join("")}      esac\n`;
  const kind = argumentKindOf(command);
  return `    ${command.name})
${values}${kind === "none" ? "" : `      kind=${kind}\n`}      flags="${
    command.flags.flatMap(spellingsOf).join(" ")
  }"
      ;;
`;
}
