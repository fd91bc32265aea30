# shellcheck shell=bash
# What script/setup, script/demo and script/test share. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tools=$root/.tools

mkdir -p "$tools/bin" "$tools/logs"
export PATH="$tools/bin:$PATH"

# npm, Bun and Bundler all want a home to keep their caches in; a container or a CI job may have none.
if [[ ! -d ${HOME:-} || ! -w $HOME ]]; then
  export HOME=$tools/home
  mkdir -p "$HOME"
fi

say() { printf '%s\n' "$*"; }

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$1" >&2
  shift
  local line
  for line in "$@"; do printf '  %s\n' "$line" >&2; done
  exit 1
}

# Prints a dot a second until it is killed, or until the script that started it is gone.
tick() {
  while sleep 1 && kill -0 $$ 2>/dev/null; do printf '.'; done
}

# run_logged LOG TITLE COMMAND…: says TITLE, shows that it is alive, leaves all output in LOG, and returns
# COMMAND's status. The caller prints the end of the line.
run_logged() {
  local log=$1 title=$2 ticker status=0
  shift 2
  printf '%s ' "$title"
  tick &
  ticker=$!
  "$@" >"$log" 2>&1 </dev/null || status=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  return "$status"
}

# step TITLE REMEDY COMMAND…: one part of the setup. When it fails, the whole output and the remedy are shown.
step() {
  local title=$1 remedy=$2 started=$SECONDS
  local log=$tools/logs/setup-${BASHPID}.log
  shift 2
  if run_logged "$log" "$title" "$@"; then
    printf ' done (%d s)\n' $((SECONDS - started))
    rm -f "$log"
  else
    printf ' FAILED\n'
    cat "$log" >&2
    fail "${title#*: } failed; its output is above" "$remedy"
  fi
}

# fingerprint WORD-OR-FILE…: one line that changes when a file's content or a word does.
fingerprint() {
  local part
  for part in "$@"; do
    if [[ -f $part ]]; then cat "$part"; else printf '%s\n' "$part"; fi
  done | sha256sum | cut -d' ' -f1
}

# is_current STAMP FINGERPRINT: whether the step that writes STAMP has already been done for this input.
is_current() { [[ -f $1 && $(<"$1") == "$2" ]]; }
