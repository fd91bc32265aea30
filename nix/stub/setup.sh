# shellcheck shell=bash
# What runs a derivation of the stub: the phases that are defined, in their order. Each is a variable, as nixpkgs has it.
# shellcheck disable=SC2154 # Nix sets the derivation's attributes as variables.

set -euo pipefail

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
for folder in $inputFolders; do PATH=$folder:$PATH; done
export PATH TMPDIR=${TMPDIR:-$NIX_BUILD_TOP}

runHook() { :; }

if [[ -n ${buildCommand:-} ]]; then
  eval "$buildCommand"
  exit
fi

cd "$NIX_BUILD_TOP"
cp -R "$src" source
chmod -R u+w source
cd source

if [[ -z ${dontBuild:-} ]]; then eval "$buildPhase"; fi
eval "$installPhase"
if [[ -n ${doInstallCheck:-} ]]; then eval "$installCheckPhase"; fi
