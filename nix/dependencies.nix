# node_modules with the program's dependencies, as bun.lock has them: a derivation of fixed output, which alone may use the
# network. Neither this file nor the lock names a registry; Bun asks its own, or the one that these variables name. None of the
# dependencies has an install script or differs between machines, so one hash is true for all.
{
  lib,
  stdenvNoCC,
  bun,
  cacert,
}:

stdenvNoCC.mkDerivation {
  pname = "kleinhirn-dependencies";
  version = (lib.importJSON ../package.json).version;

  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../package.json
      ../bun.lock
    ];
  };

  nativeBuildInputs = [
    bun
    cacert
  ];

  impureEnvVars = lib.fetchers.proxyImpureEnvVars ++ [
    "BUN_CONFIG_REGISTRY"
    "NODE_EXTRA_CA_CERTS"
  ];

  dontConfigure = true;

  # The linker is pinned because another one, which a later Bun may take by default, lays the files out in another way. The
  # cache has the time of the download in it: it stays outside.
  buildPhase = ''
    runHook preBuild
    export HOME=$TMPDIR BUN_INSTALL_CACHE_DIR=$TMPDIR/cache
    bun install --frozen-lockfile --production --linker hoisted --ignore-scripts --no-progress
    runHook postBuild
  '';

  installPhase = ''
    runHook preInstall
    cp -R node_modules $out
    runHook postInstall
  '';

  # A fixed output may refer to no other store path, and patched first lines would.
  dontFixup = true;

  outputHashMode = "recursive";
  outputHashAlgo = "sha256";
  # After a change of the dependencies: build, and put in what Nix says it got.
  outputHash = "sha256-BKJqJX6pEUWfTyJug1F+4HwN6rNHGo5+0bYL5yv+zg0=";
}
