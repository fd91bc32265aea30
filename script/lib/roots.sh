# shellcheck shell=bash
# Debian's other releases, each in a folder of its own, for the sake of their Rubies. Sourced by script/gem-matrix.

# Debian's own archive, as this machine's apt asks it; the address is in no file of this repository.
# shellcheck disable=SC2016 # apt's own variable
debian_mirror() { apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' | head -n 1; }

# Prints why there can be no such folders here, or nothing.
why_no_roots() {
  if [[ $(id -u) != 0 ]]; then
    say "debootstrap and chroot need root"
  elif ! command -v debootstrap >/dev/null 2>&1; then
    say "there is no debootstrap here (a Debian package)"
  elif ! unshare --mount --pid --fork true 2>/dev/null; then
    say "this machine makes no mount and process namespaces"
  elif [[ -z $(debian_mirror) ]]; then
    say "apt knows no archive of Debian's"
  fi
}

# install_root NAME: at most once; what was begun and not finished is begun again.
install_root() {
  local name=$1 root_folder=$tools/roots/$1
  if [[ -e $root_folder/.complete ]]; then return; fi
  rm -rf "$root_folder"
  mkdir -p "$root_folder"
  step "gem-matrix: installing Debian $name" "'debootstrap' by hand tells more." bootstrap "$name" "$root_folder"
  touch "$root_folder/.complete"
}

bootstrap() {
  local name=$1 folder=$2 suite=$1
  if [[ $name == newest ]]; then suite=sid; fi
  debootstrap --variant=minbase --include=ruby,ruby-minitest,bundler "$suite" "$folder" "$(debian_mirror)" || return
  if [[ $name == newest ]]; then install_newest_ruby "$folder" || return; fi
  mkdir -p "$folder/src"
  # Whoever lists this repository's folder as somebody else (a packer, a search) is not to stumble over it.
  chmod -R a+rX "$folder"
}

# Experimental's list is often older than it says it may be, and a root for tests has nothing to lose by that.
install_newest_ruby() {
  local folder=$1 newest
  cp /etc/resolv.conf "$folder/etc/resolv.conf"
  printf 'deb %s experimental main\n' "$(debian_mirror)" >"$folder/etc/apt/sources.list.d/experimental.list"
  in_root "$folder" apt-get -o Acquire::Check-Valid-Until=false update -q || return
  newest=$(in_root "$folder" apt-cache pkgnames ruby | grep -E '^ruby[0-9]+\.[0-9]+$' | sort -V | tail -n 1)
  in_root "$folder" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
    -t experimental "$newest" || return
  ln -sf "/usr/bin/$newest" "$folder/usr/local/bin/ruby"
}

# in_root FOLDER COMMAND…: with processes and mounts that end with it, and this repository, read-only, at /src.
in_root() {
  local folder=$1
  shift
  # shellcheck disable=SC2016 # the inner shell's variables
  unshare --mount --pid --fork --kill-child bash -euc '
    folder=$1 source=$2
    shift 2
    mkdir -p "$folder/src"
    mount --bind "$source" "$folder/src"
    mount -o remount,bind,ro "$folder/src"
    mount -t proc proc "$folder/proc"
    mount -t tmpfs tmpfs "$folder/tmp"
    exec chroot "$folder" env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8 "$@"
  ' _ "$folder" "$root" "$@"
}

run_gem_tests() {
  local name=$1 folder=$tools/roots/$1
  say "gem-matrix: $name, $(in_root "$folder" ruby --version)"
  # shellcheck disable=SC2016 # the words of the inner shell
  in_root "$folder" sh -c 'cd /src && exec ruby -Iruby/lib -Iruby/test \
    -e "ARGV.each { |file| require File.expand_path(file) }.clear" ruby/test/*_test.rb'
}
