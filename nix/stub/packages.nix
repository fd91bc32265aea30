# One system's packages. What the build needs is the machine's own, by way of host.nix, which the test writes.
{ lib, system }:

let
  host = import ./host.nix;

  makeExtensible =
    f:
    let
      self = f self;
    in
    self
    // {
      extend = overlay: makeExtensible (final: let previous = f final; in previous // overlay final previous);
    };

  # Not nixpkgs' stdenv: no compiler wrapper, no fixup, no sandboxed tools. setup.sh runs the phases that the flake defines.
  mkDerivation =
    attributes:
    let
      inputs = (attributes.nativeBuildInputs or [ ]) ++ (attributes.buildInputs or [ ]);
      result = derivation (
        removeAttrs attributes [
          "meta"
          "passthru"
        ]
        // {
          name = attributes.name or "${attributes.pname}-${attributes.version}";
          inherit system;
          builder = "/bin/bash";
          args = [ ./setup.sh ];
          inputFolders = map (input: "${input}/bin") inputs;
        }
      );
    in
    result // (attributes.passthru or { }) // { meta = attributes.meta or { }; };

  runCommand = name: attributes: buildCommand: mkDerivation (attributes // { inherit name buildCommand; });

  # A package that is on the machine already: its programs are links to what is there.
  hostPackage =
    pname: version: programs:
    mkDerivation {
      inherit pname version;
      buildCommand =
        "mkdir -p $out/bin\n"
        + builtins.concatStringsSep "" (
          map (program: "ln -s ${lib.escapeShellArg program} $out/bin/\n") programs
        );
    };
in

makeExtensible (
  final:
  {
    inherit lib runCommand;
    stdenv = { inherit mkDerivation; };
    stdenvNoCC = { inherit mkDerivation; };

    bun = hostPackage "bun" host.bunVersion [ host.bun ];
    ruby = hostPackage "ruby" "0" host.ruby;

    # A package that isn't here is one without files: the machine's own are found without it.
    callPackage =
      what: arguments:
      let
        function = if builtins.isFunction what then what else import what;
        wanted = builtins.functionArgs function;
        required = builtins.filter (name: !wanted.${name}) (builtins.attrNames wanted);
        found = lib.genAttrs required (name: final.${name} or (hostPackage name "0" [ ]));
      in
      function (found // arguments);

    mkShell = attributes: mkDerivation ({ name = "shell"; buildCommand = "touch $out"; } // attributes);

    # The real one's result is a program that writes the image; this one's is the image's configuration.
    dockerTools.streamLayeredImage =
      arguments:
      mkDerivation {
        inherit (arguments) name contents;
        buildCommand = "printf '%s\\n' \"$config\" >$out";
        config = builtins.toJSON arguments.config;
        passthru = { inherit arguments; };
      };
  }
)
