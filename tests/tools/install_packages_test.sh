#!/bin/bash
# tools/install-packages with programs of our own in the place of apt-get, dpkg-query, id and sudo.
set -eu
checkout=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
export PATH="$work/bin:$PATH" CALLS="$work/calls" POLICY_RC_D="$work/policy-rc.d"
: >"$CALLS"

program() {
  printf '#!/bin/sh\n%s\n' "$2" >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}
fail() {
  echo "FAILED: $1" >&2
  cat "$work/out" "$CALLS" >&2
  exit 1
}
run() {
  status=0
  "$checkout/tools/install-packages" "$@" >"$work/out" 2>&1 </dev/null || status=$?
}

# shellcheck disable=SC2016
program apt-get 'echo "apt-get $*" >>"$CALLS"
[ ! -x "$POLICY_RC_D" ] || { "$POLICY_RC_D"; echo "policy $?" >>"$CALLS"; }'
program apt-cache 'exit 0'
program id 'echo 0'

program dpkg-query 'echo installed'
run build run test fuzz
[ "$status" = 0 ] && [ ! -s "$CALLS" ] || fail "does nothing when nothing is missing"

# shellcheck disable=SC2016
program dpkg-query 'for name; do :; done; case $name in jq|zstd) exit 1 ;; *) echo installed ;; esac'
run test bench
[ "$status" = 0 ] || fail "installs what is missing"
grep -q -- ' install --no-install-recommends jq zstd$' "$CALLS" || fail "installs only what is missing, and each once"
grep -qx 'policy 101' "$CALLS" || fail "a package must not start its service"
[ ! -e "$POLICY_RC_D" ] || fail "leaves no policy behind"

: >"$CALLS"
run --print test
[ "$(cat "$work/out")" = "$(printf 'jq\nzstd')" ] && [ ! -s "$CALLS" ] || fail "--print only prints"

program apt-cache 'exit 100'
run test
grep -q 'update$' "$CALLS" || fail "fetches the package lists where there are none"

program id 'echo 1000'
program sudo 'exit 1'
: >"$CALLS"
run test
[ "$status" = 1 ] && [ ! -s "$CALLS" ] || fail "fails without root"
grep -q 'sudo apt-get update && sudo apt-get install --no-install-recommends jq zstd' "$work/out" ||
  fail "says what to run"

run nonsense
[ "$status" = 64 ] && grep -q 'no group "nonsense"' "$work/out" || fail "refuses an unknown group"
echo "all good"
