#!/usr/bin/env bash
# smoke.sh KLEINHIRN: a supervisor with two workers in the current folder, asked for its health, told to stop. Needs no
# network and no port: the health server listens on a Unix socket.
set -euo pipefail

kleinhirn=$1

cat >kleinhirn.toml <<'TOML'
[supervisor]
name = "smoke"
socket = "supervisor.sock"

[health_check]
listen_addr = "unix:health.sock"

[worker]
type = "program"
cmdline = ["sleep", "1000"]
count = 2
TOML

"$kleinhirn" check
"$kleinhirn" run 2>log &
supervisor=$!
trap 'kill -QUIT "$supervisor" 2>/dev/null || true; cat log' EXIT

# Until it is healthy, or has ended: then there is nothing to wait for.
until "$kleinhirn" health; do
  kill -0 "$supervisor"
done

kill -TERM "$supervisor"
wait "$supervisor"
grep -F 'msg=stopped' log | grep -F 'killed=0'
