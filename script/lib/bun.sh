# shellcheck shell=bash
# Bun, in the version of .bun-version, and the npm packages of bun.lock. Sourced by script/setup.

bun_version=$(<"$root/.bun-version")

bun_fits() { [[ $(bun --version 2>/dev/null) == "$bun_version" ]]; }

# The npm package has the binary in a package of its own for each kind of machine. Its install script copies the
# right one to bun/bin/bun.exe; where npm doesn't run install scripts, that file is a placeholder.
private_bun_binaries() {
  local modules=$tools/bun/node_modules machine
  case $(uname -m) in
    x86_64) machine=x64 ;;
    aarch64 | arm64) machine=aarch64 ;;
    *) machine=$(uname -m) ;;
  esac
  printf '%s\n' "$modules/bun/bin/bun.exe" "$modules/@oven/bun-linux-$machine/bin/bun" \
    "$modules/@oven/bun-linux-$machine-baseline/bin/bun"
}

# The first one that runs and says the right version: on an old processor the plain build ends by an illegal instruction.
link_private_bun() {
  local binary
  while read -r binary; do
    if [[ $("$binary" --version 2>/dev/null) == "$bun_version" ]]; then
      ln -sf "$binary" "$tools/bin/bun"
      return 0
    fi
  done < <(private_bun_binaries)
  return 1
}

download_bun() {
  rm -rf "$tools/bun"
  mkdir -p "$tools/bun"
  # Without a package.json of its own npm would look for one in the folders above.
  printf '{ "private": true }\n' >"$tools/bun/package.json"
  npm install --prefix "$tools/bun" --no-audit --no-fund --no-package-lock --no-save "bun@$bun_version"
}

install_bun() {
  if bun_fits; then return; fi
  rm -f "$tools/bin/bun"
  hash -r
  if bun_fits; then return; fi
  step "setup: installing Bun $bun_version" "Does 'npm view bun version' work by hand?" download_bun
  link_private_bun || fail "none of the binaries of the npm package bun@$bun_version runs here ($(uname -m))" \
    "Put a bun of exactly that version on the PATH, then run this again."
}

install_npm_packages() {
  local stamp=$root/node_modules/.kleinhirn-setup wanted
  wanted=$(fingerprint "$root/package.json" "$root/bun.lock" "$bun_version")
  if is_current "$stamp" "$wanted"; then return; fi
  step "setup: installing the npm packages of bun.lock" \
    "If package.json was changed on purpose, run 'bun install' and keep bun.lock with it." \
    bun install --frozen-lockfile --cwd "$root"
  printf '%s\n' "$wanted" >"$stamp"
}
