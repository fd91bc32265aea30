# The gems of examples/shop, installed. Bundler finds them by GEM_PATH.
{
  stdenv,
  callPackage,
  libyaml,
  pkg-config,
  ruby,
  sqlite,
}:

let
  gems = callPackage ./gems.nix { };
in

stdenv.mkDerivation {
  name = "kleinhirn-shop-bundle";
  src = gems;

  nativeBuildInputs = [
    pkg-config
    ruby
  ];

  buildInputs = [
    libyaml
    sqlite
  ];

  dontConfigure = true;
  dontBuild = true;

  installPhase = ''
    runHook preInstall
    export HOME=$TMPDIR GEM_HOME=$out GEM_PATH=$out
    install_gems() { gem install --local --ignore-dependencies --no-document --install-dir $out "$@"; }
    install_gems $(ls -d *.gem | grep -v '^sqlite3-')
    install_gems sqlite3-*.gem -- --enable-system-libraries
    # What was only needed to compile: it names the folder of this build.
    rm -rf $out/cache $out/build_info
    find $out -name gem_make.out -delete -o -name mkmf.log -delete
    runHook postInstall
  '';

  passthru = { inherit gems; };
}
