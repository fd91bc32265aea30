# Stands in for nixpkgs where that can't be had (see docs/NIX.md): as much of it as this repository's flake asks for, with the
# programs of the machine that it runs on. For the tests alone.
{
  description = "A small stand-in for nixpkgs";

  outputs = _: rec {
    lib = import ./lib.nix;
    legacyPackages = lib.genAttrs [
      "x86_64-linux"
      "aarch64-linux"
    ] (system: import ./packages.nix { inherit lib system; });
  };
}
