# The binary, built by the program that script/build runs (script/lib/build.ts).
{
  lib,
  stdenvNoCC,
  callPackage,
  bun,
  sourceCommit ? "",
}:

let
  oldestBun = builtins.head (
    builtins.match ">=([0-9.]+)" (lib.importJSON ../package.json).engines.bun
  );
  dependencies = callPackage ./dependencies.nix { };
in

assert lib.assertMsg (lib.versionAtLeast bun.version oldestBun)
  "kleinhirn needs Bun ${oldestBun} or later, and this nixpkgs has ${bun.version}: take a newer nixpkgs, or overlay its bun";

stdenvNoCC.mkDerivation {
  pname = "kleinhirn";
  inherit (dependencies) version;

  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../.bun-version
      ../LICENSE
      ../bun.lock
      ../kleinhirn.ts
      ../package.json
      ../ruby
      ../script/lib
      ../src
      ../tsconfig.json
    ];
  };

  nativeBuildInputs = [ bun ];

  dontConfigure = true;

  buildPhase = ''
    runHook preBuild
    export HOME=$TMPDIR KLEINHIRN_COMMIT=${lib.escapeShellArg sourceCommit}
    ln -s ${dependencies} node_modules
    bun script/lib/build.ts --output dist
    runHook postBuild
  '';

  installPhase = ''
    runHook preInstall
    install -D -m 755 dist/kleinhirn $out/bin/kleinhirn
    install -D -m 644 LICENSE $out/share/licenses/kleinhirn/LICENSE
    runHook postInstall
  '';

  # The program stands behind Bun's own code in the file: what strip or patchelf write anew is a Bun without it.
  dontStrip = true;
  dontPatchELF = true;

  doInstallCheck = true;
  installCheckPhase = ''
    runHook preInstallCheck
    $out/bin/kleinhirn --version | grep -F ${lib.escapeShellArg dependencies.version}
    runHook postInstallCheck
  '';

  passthru = { inherit dependencies; };

  meta = {
    description = "A preloading process supervisor for containers";
    license = lib.licenses.mit;
    mainProgram = "kleinhirn";
    platforms = lib.platforms.linux;
  };
}
