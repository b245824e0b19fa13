#!/bin/sh
# proxy.sh TEST: runs it with a real HTTP proxy, at $S3_PROXY, which writes what it connects to $S3_PROXY_LOG. It
# connects to the port of $S3_ENDPOINT only. To be run by ceph.sh run.
# shellcheck disable=SC2034 # for lib.sh
NAME=proxy
PLACE=$(mktemp "${TMPDIR:-/tmp}/enclave-proxy-place-XXXXXX")
# shellcheck source=tests/servers/lib.sh
. "$(dirname "$0")/lib.sh"

TEST=$1
if ! command -v tinyproxy >/dev/null; then
  rm -f "$PLACE"
  say "skipped: tinyproxy is not installed"
  exit $SKIPPED
fi
make_run
trap 'halt tinyproxy 5; rm -rf "$RUN" "$PLACE"' EXIT
trap 'exit 1' INT TERM HUP
port=$(free_ports 1)
cat >"$RUN/proxy.conf" <<END
Port $port
Listen $HOST
Timeout 60
LogFile "$RUN/proxy.log"
LogLevel Connect
MaxClients 20
Allow $HOST
ConnectPort ${S3_ENDPOINT##*:}
END
: >"$RUN/proxy.log"
chmod 666 "$RUN/proxy.log"
spawn tinyproxy tinyproxy -d -c "$RUN/proxy.conf"
is_listening() { ss -Hltn "sport = :$port" | grep -q LISTEN; }
wait_for 10 tinyproxy "listening socket" is_listening
S3_PROXY="http://$HOST:$port" S3_PROXY_LOG="$RUN/proxy.log" "$TEST"
