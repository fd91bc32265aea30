# examples/shop as it lies in an image: with a lock file, and with a configuration for a container.
{
  lib,
  stdenvNoCC,
  callPackage,
  ruby,
}:

let
  bundle = callPackage ./bundle.nix { };
in

stdenvNoCC.mkDerivation {
  name = "kleinhirn-shop";

  src = lib.fileset.toSource {
    root = ../../examples/shop;
    fileset = lib.fileset.unions [
      ../../examples/shop/Gemfile
      ../../examples/shop/config.ru
      ../../examples/shop/lib
      ../../examples/shop/public
      ../../examples/shop/views
    ];
  };

  nativeBuildInputs = [ ruby ];

  dontConfigure = true;

  buildPhase = ''
    runHook preBuild
    export HOME=$TMPDIR GEM_PATH=${bundle}
    bundle lock --local
    runHook postBuild
  '';

  installPhase = ''
    runHook preInstall
    mkdir $out
    cp -R . $out
    cp ${./kleinhirn.toml} $out/kleinhirn.toml
    runHook postInstall
  '';

  passthru = { inherit bundle; };
}
