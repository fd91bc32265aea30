# The built binary from start to stop, with real processes.
{ runCommand, kleinhirn }:

runCommand "kleinhirn-smoke" { nativeBuildInputs = [ kleinhirn ]; } ''
  bash ${./smoke.sh} kleinhirn
  touch $out
''
