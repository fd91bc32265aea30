{
  description = "A preloading process supervisor for containers";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      # What a tree without its history can't say itself.
      sourceCommit = self.shortRev or self.dirtyShortRev or "";
      pkgsFor = system: nixpkgs.legacyPackages.${system}.extend self.overlays.default;
      forEachSystem = f: lib.genAttrs systems (system: f (pkgsFor system));
    in
    {
      overlays.default = final: prev: {
        kleinhirn = final.callPackage ./nix/package.nix { inherit sourceCommit; };
      };

      packages = forEachSystem (pkgs: {
        default = pkgs.kleinhirn;
        container = pkgs.callPackage ./nix/container.nix { };
        ruby-example = pkgs.callPackage ./nix/ruby-example { };
      });

      apps = forEachSystem (pkgs: {
        default = {
          type = "app";
          program = "${pkgs.kleinhirn}/bin/kleinhirn";
          meta = { inherit (pkgs.kleinhirn.meta) description; };
        };
      });

      devShells = forEachSystem (pkgs: {
        default = pkgs.callPackage ./nix/shell.nix { };
      });

      checks = forEachSystem (pkgs: {
        package = pkgs.kleinhirn;
        smoke = pkgs.callPackage ./nix/smoke.nix { };
        gem = pkgs.callPackage ./nix/gem.nix { };
      });
    };
}
