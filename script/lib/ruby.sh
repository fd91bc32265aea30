# shellcheck shell=bash
# Gems, by Bundler, into .tools/bundle: nothing goes into the system. Sourced by script/setup and script/test.

export BUNDLE_SILENCE_ROOT_WARNING=1
# Debian's SQLite is built in seconds; the copy in the gem takes minutes.
export BUNDLE_BUILD__SQLITE3=--enable-system-libraries

bundle_install() {
  # In the folder's own .bundle/config, so that a plain `bundle exec` and kleinhirn's preloader find the gems as well.
  BUNDLE_GEMFILE=$1 bundle config set --local path "$tools/bundle" &&
    BUNDLE_GEMFILE=$1 bundle install --retry 3
}

# install_gems WHAT GEMFILE: the lock file that this makes stays out of git, because it names the registry.
# The Gemfile pins every version, so that there is nothing to decide.
install_gems() {
  local what=$1 gemfile=$2 stamp wanted
  stamp=$tools/$what.stamp
  wanted=$(fingerprint "$gemfile" "$root" "$(ruby --disable-gems -e 'print RUBY_DESCRIPTION')")
  if is_current "$stamp" "$wanted" && [[ -f $gemfile.lock && -d $tools/bundle ]]; then return; fi
  rm -f "$gemfile.lock"
  step "setup: installing the gems of $what" "Does 'gem list --remote --exact rack' work by hand?" \
    bundle_install "$gemfile"
  printf '%s\n' "$wanted" >"$stamp"
}

install_shop_gems() { install_gems "examples-shop" "$root/examples/shop/Gemfile"; }

rubocop_gemfile=$tools/rubocop/Gemfile

install_rubocop() {
  mkdir -p "$tools/rubocop"
  cmp -s "$root/script/lib/rubocop.gemfile" "$rubocop_gemfile" ||
    cp "$root/script/lib/rubocop.gemfile" "$rubocop_gemfile"
  install_gems "rubocop" "$rubocop_gemfile"
}
