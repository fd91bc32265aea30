# shellcheck shell=bash
# Bun for other kinds of machines, from the npm packages that it is published in. Sourced by script/build; which they are,
# and what they must contain, is in runtimes.ts.

have_npm() { command -v npm >/dev/null 2>&1; }

download_runtimes() {
  rm -rf "$tools/runtimes"
  mkdir -p "$tools/runtimes"
  printf '{ "private": true }\n' >"$tools/runtimes/package.json"
  # --force: they are for other machines than this one, and are not run here.
  npm install --prefix "$tools/runtimes" --force --ignore-scripts --no-audit --no-fund --no-package-lock --no-save "$@"
}

# install_runtimes ARGUMENT…: those that script/build needs when it is called like that.
install_runtimes() {
  local stamp=$tools/runtimes.stamp wanted
  local -a packages
  mapfile -t packages < <(bun "$root/script/lib/list-runtimes.ts" "$@")
  if ((${#packages[@]} == 0)); then return; fi
  have_npm || fail "npm is needed for: ${packages[*]}"
  wanted=$(fingerprint "${packages[@]}")
  if is_current "$stamp" "$wanted"; then return; fi
  step "build: installing Bun $bun_version for other machines" "Does 'npm view ${packages[0]%@*}' work by hand?" \
    download_runtimes "${packages[@]}"
  printf '%s\n' "$wanted" >"$stamp"
}
