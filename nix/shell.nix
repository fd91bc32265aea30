# Everything that script/test needs, so that script/setup finds nothing missing.
{
  mkShell,
  buildah,
  bun,
  cacert,
  crun,
  debootstrap,
  gcc,
  git,
  gnumake,
  haproxy,
  libyaml,
  nix,
  nodejs,
  pkg-config,
  podman,
  ruby,
  shellcheck,
  sqlite,
  systemd,
  wrk,
}:

let
  # By the names of the Debian packages that script/lib/debian.sh asks for; a test compares.
  byDebianName = {
    buildah = [ buildah ];
    build-essential = [
      gcc
      gnumake
    ];
    # Here, and in ruby-dev and ruby-minitest, what nixpkgs' Ruby brings by itself.
    bundler = [ ruby ];
    ca-certificates = [ cacert ];
    crun = [ crun ];
    debootstrap = [ debootstrap ];
    git = [ git ];
    haproxy = [ haproxy ];
    libsqlite3-dev = [ sqlite ];
    libyaml-dev = [ libyaml ];
    nix-bin = [ nix ];
    # With npm, for the copy of Bun that script/setup installs where this one is not of the version in .bun-version.
    nodejs = [ nodejs ];
    npm = [ nodejs ];
    pkg-config = [ pkg-config ];
    podman = [ podman ];
    ruby = [ ruby ];
    ruby-dev = [ ruby ];
    ruby-minitest = [ ruby ];
    shellcheck = [ shellcheck ];
    # systemd-socket-activate
    systemd = [ systemd ];
    wrk = [ wrk ];
  };
in

mkShell {
  packages = [ bun ] ++ builtins.concatLists (builtins.attrValues byDebianName);

  # Some of what script/test starts looks where Debian has it.
  SSL_CERT_FILE = "${cacert}/etc/ssl/certs/ca-bundle.crt";

  passthru = { inherit byDebianName; };
}
