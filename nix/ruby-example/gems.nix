# The gems that examples/shop/Gemfile pins, as they are published: a derivation of fixed output, which alone may use the
# network. RubyGems asks its own registry, which neither this file nor the Gemfile names.
{
  lib,
  stdenvNoCC,
  cacert,
  ruby,
}:

stdenvNoCC.mkDerivation {
  name = "kleinhirn-shop-gems";

  src = lib.fileset.toSource {
    root = ../../examples/shop;
    fileset = ../../examples/shop/Gemfile;
  };

  nativeBuildInputs = [
    cacert
    ruby
  ];

  impureEnvVars = lib.fetchers.proxyImpureEnvVars;

  dontConfigure = true;

  # As source, never as a binary for one kind of machine: one hash is true for all.
  buildPhase = ''
    runHook preBuild
    export HOME=$TMPDIR BUNDLE_FORCE_RUBY_PLATFORM=true BUNDLE_CACHE_PATH=gems
    bundle cache --no-install
    runHook postBuild
  '';

  installPhase = ''
    runHook preInstall
    mkdir $out
    cp gems/*.gem $out
    runHook postInstall
  '';

  dontFixup = true;

  outputHashMode = "recursive";
  outputHashAlgo = "sha256";
  # After a change of the Gemfile: build, and put in what Nix says it got.
  outputHash = "sha256-EAaPDiK4DHIagKl2nfAt3Qi8LNSDh/ojxXHlAk7gYzU=";
}
