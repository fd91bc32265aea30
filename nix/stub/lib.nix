# The functions of nixpkgs' lib that the flake uses, by their documented behaviour.
rec {
  genAttrs =
    names: f:
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = f name;
      }) names
    );

  importJSON = path: builtins.fromJSON (builtins.readFile path);
  versionAtLeast = left: right: builtins.compareVersions left right >= 0;
  assertMsg = condition: message: condition || throw message;
  escapeShellArg = value: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] (toString value)}'";

  licenses.mit = {
    spdxId = "MIT";
  };
  platforms.linux = [
    "x86_64-linux"
    "aarch64-linux"
  ];
  fetchers.proxyImpureEnvVars = [
    "http_proxy"
    "https_proxy"
    "no_proxy"
  ];

  # A file set is here a list of paths. As there, one that is missing is an error.
  fileset = rec {
    toList = fileset: if builtins.isList fileset then fileset else [ fileset ];
    unions = filesets: builtins.concatMap toList filesets;
    toSource =
      { root, fileset }:
      let
        chosen = map (
          path: if builtins.pathExists path then toString path else throw "${toString path} does not exist"
        ) (toList fileset);
        isWithin = folder: path: path == folder || builtins.substring 0 (builtins.stringLength folder + 1) path == "${folder}/";
        isWanted = path: builtins.any (wanted: isWithin wanted path || isWithin path wanted) chosen;
      in
      builtins.path {
        name = "source";
        path = root;
        filter = path: _type: isWanted path;
      };
  };
}
