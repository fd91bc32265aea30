# Everything that script/test needs, so that script/setup finds nothing missing.
{
  mkShell,
  bun,
  cacert,
  gcc,
  git,
  gnumake,
  libyaml,
  nodejs,
  pkg-config,
  ruby,
  shellcheck,
  sqlite,
  systemd,
}:

mkShell {
  packages = [
    bun
    cacert
    gcc
    git
    gnumake
    libyaml
    # npm, for the copy of Bun that script/setup installs where this one is not of the version in .bun-version.
    nodejs
    pkg-config
    # With Bundler, minitest and its own headers.
    ruby
    shellcheck
    sqlite
    # systemd-socket-activate
    systemd
  ];

  # As some of what script/test starts has no shell's environment, and looks where Debian has it.
  SSL_CERT_FILE = "${cacert}/etc/ssl/certs/ca-bundle.crt";
}
