# Where the tools are. Sourced by setup, build_gadgets, kmeter and test; sourcing it does nothing.
# Every function prints one path, or fails without output when there is none.

# bpftool and tracefs helpers live in sbin, which is not on everyone's PATH.
PATH="$PATH:/usr/sbin:/sbin"

# Older clang lacks CO-RE builtins that the gadgets use.
readonly CLANG_MIN=16
readonly CLANG_WANTED=19
readonly DENO_MIN_MINOR=9

checkout_of() { # SCRIPT: the checkout that SCRIPT belongs to, through symlinks
  local script
  script=$(readlink -f "$1")
  printf '%s\n' "${script%/scripts/*}"
}

find_clang() {
  local name version
  for name in "clang-$CLANG_WANTED" clang-{30..20} clang-{18..16}; do
    command -v "$name" && return
  done
  # The plain name says nothing of its version, so it has to be asked, which takes 30 ms.
  if command -v clang >/dev/null; then
    version=$(clang -dumpversion)
    if ((${version%%.*} >= CLANG_MIN)); then
      command -v clang
      return
    fi
  fi
  return 1
}

find_llvm_strip() { # CLANG: the llvm-strip that came with it
  local clang name bin
  clang=$(readlink -f "$1")
  name=${1##*/}
  bin=${clang%/*}
  if [[ -x $bin/llvm-strip ]]; then
    printf '%s\n' "$bin/llvm-strip"
  else
    command -v "llvm-strip${name#clang}"
  fi
}

find_deno() { # CHECKOUT: its own pinned Deno, else a suitable one on PATH
  local version minor pinned=$1/scripts/deno-runtime/package-lock.json
  local installed=$1/.tools/deno-runtime/package-lock.json
  if [[ -x $1/.tools/deno && -f $installed && $(<"$installed") == "$(<"$pinned")" ]]; then
    printf '%s\n' "$1/.tools/deno"
    return
  fi
  command -v deno >/dev/null || return 1
  version=$(deno --version)
  version=${version#deno }
  minor=${version#*.}
  [[ ${version%%.*} == 2 ]] && ((${minor%%.*} >= DENO_MIN_MINOR)) && command -v deno
}
