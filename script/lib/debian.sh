# shellcheck shell=bash
# Debian packages: what is missing, and one call of apt-get for all of it. Sourced by script/setup.

missing=()

# need COMMAND PACKAGE…: PACKAGE is missing unless COMMAND succeeds.
need() {
  local condition=$1
  shift
  if ! eval "$condition" >/dev/null 2>&1; then missing+=("$@"); fi
}

has_certificates() { [[ -s ${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt} ]]; }

is_shallow() { [[ ${KLEINHIRN_DEEP:-} != 1 ]]; }

have() { command -v "$1" >/dev/null 2>&1; }

# library HEADER NAME: a C library to build with, by its header in one of the places where Debian puts them (multiarch or
# not), or by what pkg-config knows of it, where there is no such place.
library() { compgen -G "/usr/include/$1" || compgen -G "/usr/include/*/$1" || pkg-config --exists "$2"; }

# The oldest Ruby that the example's gems run on; the gem kleinhirn_loader itself is content with 2.7.
ruby_fits() { ruby --disable-gems -e 'exit((RUBY_VERSION.split(".").map(&:to_i) <=> [3, 1]) >= 0)'; }

ruby_headers() {
  ruby --disable-gems -rrbconfig -e 'exit File.exist?(File.join(RbConfig::CONFIG["rubyhdrdir"], "ruby.h"))'
}

find_missing_packages() {
  need has_certificates ca-certificates
  need 'bun_fits || have npm' nodejs npm
  need ruby_fits ruby ruby-dev
  need '! ruby_fits || ruby_headers' ruby-dev
  need 'have bundle' bundler
  need 'have gcc && have make' build-essential
  need 'have pkg-config' pkg-config
  need 'library sqlite3.h sqlite3' libsqlite3-dev
  need 'library yaml.h yaml-0.1' libyaml-dev
  if [[ $1 == test ]]; then
    need 'have git' git
    need 'have shellcheck' shellcheck
    need 'have systemd-socket-activate' systemd
    need 'have podman && have crun && have buildah' podman crun buildah
    need 'have haproxy' haproxy
    need 'have wrk' wrk
    need 'ruby --disable-gems -e "exit Dir[\"/usr/share/rubygems-integration/*/specifications/minitest-*\"].any?" ||
      ruby -e "require %q(minitest)"' ruby-minitest
    need 'have nix' nix-bin
    # For the other Rubies of script/gem-matrix, which script/test --deep asks for.
    need 'is_shallow || have debootstrap' debootstrap
  fi
}

# as_root COMMAND…: directly, or by sudo when that asks for no password.
as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; else sudo -n "$@"; fi
}

install_missing_packages() {
  find_missing_packages "$1"
  if ((${#missing[@]} == 0)); then return; fi
  have apt-get || fail "these Debian packages are needed, and there is no apt-get here: ${missing[*]}" \
    "Install what they stand for by this system's own means, then run this again."
  as_root true 2>/dev/null || fail "these Debian packages are missing: ${missing[*]}" \
    "Installing them needs root, or sudo without a password. By hand: apt-get install ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  step "setup: refreshing the package lists" \
    "Is there a network, and are apt's sources right? 'apt-get update' by hand tells more." \
    as_root apt-get update -q -o APT::Update::Error-Mode=any
  step "setup: installing ${missing[*]}" \
    "'apt-get install ${missing[*]}' by hand tells more." \
    as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"
  hash -r
  ruby_fits || fail "the ruby on the PATH ($(command -v ruby)) is too old: it needs to be 3.1 or newer" \
    "Remove it from the PATH, or install a newer one."
}
