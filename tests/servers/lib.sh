# Shared by the scripts that start real servers for tests; source it, do not run it.
# A script sets NAME and PLACE: the file that remembers the temporary directory with the server's whole state.
# Everything listens on 127.0.0.1 only. RUN is that directory.
# shellcheck shell=sh disable=SC2034

set -eu

HOST=127.0.0.1
SKIPPED=77 # ctest's SKIP_RETURN_CODE
TOOLS=$(cd "$(dirname "$0")/../../tools" && pwd)

say() { printf '%s: %s\n' "$NAME" "$*" >&2; }
die() {
  say "FAILED: $*"
  exit 1
}

# find_run: sets RUN to the directory of an earlier start; fails when there is none.
find_run() {
  [ -s "$PLACE" ] || return 1
  RUN=$(cat "$PLACE")
  [ -d "$RUN" ]
}

# Paths of sockets have at most 107 bytes, so the state does not lie in the build tree.
make_run() {
  RUN=$(mktemp -d "${TMPDIR:-/tmp}/enclave-$NAME-XXXXXX")
  printf '%s\n' "$RUN" >"$PLACE"
}

# free_ports N: the first of N adjacent ports below the ephemeral range that nothing listens on.
free_ports() {
  tries=50
  while [ $tries -gt 0 ]; do
    base=$(($(od -An -N2 -tu2 /dev/urandom) % 11000 + 20000))
    if ! ss -Hltn | awk -v low="$base" -v high=$((base + $1)) \
      '{n = split($4, a, ":"); if (a[n] >= low && a[n] < high) taken = 1} END {exit !taken}'; then
      echo "$base"
      return 0
    fi
    tries=$((tries - 1))
  done
  die "no $1 adjacent free ports"
}

# A pid file holds "PID STARTTIME", so that a reused pid is never taken for ours.
pid_start() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

alive() {
  [ -s "$RUN/$1.pid" ] || return 1
  read -r pid started <"$RUN/$1.pid"
  [ "$(pid_start "$pid")" = "$started" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$pid/status" 2>/dev/null
}

# spawn NAME CMD…: starts it in the background, what it says goes to $RUN/NAME.out.
spawn() {
  daemon=$1
  shift
  setsid "$@" >>"$RUN/$daemon.out" 2>&1 </dev/null &
  echo "$! $(pid_start $!)" >"$RUN/$daemon.pid"
}

# halt NAME SECONDS: TERM, then KILL when it has not gone by then.
halt() {
  if alive "$1"; then
    read -r pid _ <"$RUN/$1.pid"
    kill -TERM "$pid" 2>/dev/null || true
    tenths=$(($2 * 10))
    while alive "$1" && [ $tenths -gt 0 ]; do
      sleep 0.1
      tenths=$((tenths - 1))
    done
    if alive "$1"; then kill -KILL "$pid" 2>/dev/null || true; fi
  fi
  rm -f "$RUN/$1.pid"
}

# wait_for SECONDS DAEMON WHAT CMD…: until CMD succeeds; fails at once when DAEMON dies.
wait_for() {
  limit=$(($(date +%s) + $1))
  daemon=$2
  what=$3
  shift 3
  until "$@" >/dev/null 2>&1; do
    if ! alive "$daemon"; then
      tail -n 15 "$RUN/$daemon.out" >&2 2>/dev/null || true
      die "$daemon exited while waiting for $what"
    fi
    if [ "$(date +%s)" -ge "$limit" ]; then
      tail -n 15 "$RUN/$daemon.out" >&2 2>/dev/null || true
      die "no $what in time"
    fi
    sleep 0.2
  done
}

# http_up URL: answers, and not with a server error.
http_up() {
  code=$(curl -s -o /dev/null -w '%{http_code}' --noproxy '*' --max-time 10 --cacert "$RUN/tls/ca.pem" "$1") ||
    return 1
  [ "$code" -ge 200 ] && [ "$code" -lt 500 ]
}

# A certificate authority of the test's own, and a server certificate. No client takes a wildcard for "*.localhost", so
# the server has a name below it.
make_tls() {
  mkdir -p "$RUN/tls"
  (
    cd "$RUN/tls"
    umask 077
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=enclave test CA' \
      -keyout ca.key -out ca.pem -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign'
    openssl req -new -newkey rsa:2048 -nodes -subj '/CN=objects.localhost' -keyout server.key -out server.csr
    printf '%s\n' 'subjectAltName=DNS:localhost,DNS:objects.localhost,DNS:*.objects.localhost,IP:127.0.0.1' \
      'basicConstraints=CA:FALSE' 'extendedKeyUsage=serverAuth' >extensions
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions \
      -out server.pem
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=another CA' \
      -keyout other.key -out other-ca.pem
  ) >"$RUN/tls.log" 2>&1 || die "openssl could not make the certificates: $(tail -n 3 "$RUN/tls.log")"
}
