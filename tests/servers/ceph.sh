#!/bin/sh
# ceph.sh start|stop|run PLACE [COMMAND…]: one Ceph node (one monitor, one OSD) with its S3 gateway on http and https.
#   start  installs the packages when they are missing and starts it. Where they cannot be installed it says so, and
#          `run` then skips; where the server cannot start it fails.
#   run    runs the command with S3_* variables that tell where the gateway is.
#   stop   stops it and removes its state.
# PLACE is a file that remembers where the state lies. RGW_KEEP=1 keeps the state at `stop`, to look at the logs.
# shellcheck disable=SC2034 # for lib.sh
NAME=ceph
VERB=${1:?start, stop or run}
PLACE=${2:?a file that remembers the place}
shift 2
# shellcheck source=tests/servers/lib.sh
. "$(dirname "$0")/lib.sh"

ACCESS=ENCLAVETESTUSER00001
SECRET=enclave/test+SecretKey000000000000000001
OTHER_ACCESS=ENCLAVETESTOTHER0001
OTHER_SECRET=enclave/test+otherKey0000000000000000001

write_conf() {
  base=$(free_ports 64)
  certificate="ssl_certificate=$RUN/tls/server.pem ssl_private_key=$RUN/tls/server.key"
  echo $((base + 62)) >"$RUN/http.port"
  echo $((base + 63)) >"$RUN/https.port"
  echo "$base" >"$RUN/mon.port"
  cat /proc/sys/kernel/random/uuid >"$RUN/fsid"
  cat >"$RUN/ceph.conf" <<END
[global]
fsid = $(cat "$RUN/fsid")
mon host = [v2:$HOST:$base/0]
public network = 127.0.0.0/8
ms bind ipv6 = false
ms bind port min = $((base + 1))
ms bind port max = $((base + 61))
public addr = $HOST
cluster addr = $HOST
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
keyring = $RUN/keyring
run dir = $RUN
admin socket = $RUN/\$name.asok
log file = $RUN/\$name.log
mon cluster log file = $RUN/cluster.log
crash dir = $RUN/crash
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 2000
paxos propose interval = 0.1
paxos min wait = 0.01
mon data avail warn = 5
mon data avail crit = 1
[mon.a]
mon data = $RUN/mon
[osd.0]
osd data = $RUN/osd
osd objectstore = bluestore
osd journal = $RUN/osd/journal
bluestore block size = 21474836480
bluestore block create = true
osd memory target = 1073741824
osd op num shards = 2
osd class update on start = false
[client.rgw]
rgw frontends = beast endpoint=$HOST:$((base + 62)) ssl_endpoint=$HOST:$((base + 63)) $certificate
rgw dns name = objects.localhost
rgw thread pool size = 64
rgw enable usage log = false
rgw gc obj min wait = 5
END
}

ceph_() { timeout 60 ceph -c "$RUN/ceph.conf" --connect-timeout 10 "$@" 2>>"$RUN/ceph-cli.log"; }

make_user() {
  timeout 120 radosgw-admin -c "$RUN/ceph.conf" -n client.rgw --log-file "$RUN/radosgw-admin.log" --admin-socket '' \
    user create --uid "$1" --display-name "$1" --access-key "$2" --secret "$3" >/dev/null 2>>"$RUN/radosgw-admin.err" ||
    die "cannot make the user $1: $(tail -n 3 "$RUN/radosgw-admin.err")"
}

# One keyring for all: this cluster is reachable from this machine only.
make_cluster() {
  mkdir -p "$RUN/mon" "$RUN/osd"
  {
    ceph-authtool "$RUN/keyring" --create-keyring --gen-key -n mon. --cap mon 'allow *' &&
      ceph-authtool "$RUN/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' &&
      ceph-authtool "$RUN/keyring" --gen-key -n client.rgw --cap mon 'allow rw' --cap osd 'allow rwx' &&
      ceph-authtool "$RUN/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' &&
      chmod 600 "$RUN/keyring" &&
      monmaptool --create --clobber --fsid "$(cat "$RUN/fsid")" \
        --addv a "[v2:$HOST:$(cat "$RUN/mon.port")/0]" "$RUN/monmap" &&
      ceph-mon -c "$RUN/ceph.conf" -i a --mkfs --keyring "$RUN/keyring" --monmap "$RUN/monmap"
  } >>"$RUN/mkfs.log" 2>&1 || die "ceph-mon --mkfs: $(tail -n 5 "$RUN/mkfs.log")"
}

osd_up() { ceph_ osd dump | grep -q '^osd\.0 up'; }

start_daemons() {
  spawn mon ceph-mon -c "$RUN/ceph.conf" -i a -f
  wait_for 30 mon "monitor quorum" ceph_ mon stat
  uuid=$(cat /proc/sys/kernel/random/uuid)
  ceph_ osd new "$uuid" 0 >/dev/null || die "ceph osd new: $(tail -n 3 "$RUN/ceph-cli.log")"
  ceph-osd -c "$RUN/ceph.conf" -i 0 --mkfs --osd-uuid "$uuid" >>"$RUN/mkfs.log" 2>&1 ||
    die "ceph-osd --mkfs: $(tail -n 5 "$RUN/mkfs.log")"
  spawn osd ceph-osd -c "$RUN/ceph.conf" -i 0 -f
  wait_for 60 osd "osd.0" osd_up
  spawn rgw radosgw -c "$RUN/ceph.conf" -n client.rgw -f
  wait_for 90 rgw "answer on http" http_up "http://$HOST:$(cat "$RUN/http.port")/"
  wait_for 10 rgw "answer on https" http_up "https://objects.localhost:$(cat "$RUN/https.port")/"
  make_user tester "$ACCESS" "$SECRET"
  make_user other "$OTHER_ACCESS" "$OTHER_SECRET"
}

start() {
  ! find_run || stop
  rm -f "$PLACE" "$PLACE.skip"
  if ! "$TOOLS/install-packages" servers >"$PLACE.packages" 2>&1; then
    echo "the packages of Ceph cannot be installed: $(tail -n 3 "$PLACE.packages")" >"$PLACE.skip"
    say "skipped: $(cat "$PLACE.skip")"
    return 0
  fi
  make_run
  trap '[ $? = 0 ] || { stop; exit 1; }' EXIT
  trap 'exit 1' INT TERM HUP
  make_tls
  write_conf
  make_cluster
  start_daemons
  say "up: https://objects.localhost:$(cat "$RUN/https.port")"
}

stop() {
  find_run || return 0
  halt rgw 10
  halt osd 20
  halt mon 10
  if [ -n "${RGW_KEEP:-}" ]; then
    say "state is kept in $RUN"
  else
    rm -rf "$RUN"
  fi
  rm -f "$PLACE"
}

run() {
  if [ -s "$PLACE.skip" ]; then
    say "skipped: $(cat "$PLACE.skip")"
    exit $SKIPPED
  fi
  find_run || die "it is not running: $0 start $PLACE"
  S3_ENDPOINT="https://objects.localhost:$(cat "$RUN/https.port")"
  S3_PLAIN_ENDPOINT="http://objects.localhost:$(cat "$RUN/http.port")"
  export S3_ENDPOINT S3_PLAIN_ENDPOINT
  export S3_CA="$RUN/tls/ca.pem" S3_OTHER_CA="$RUN/tls/other-ca.pem" S3_REGION=default S3_SERVER=ceph
  export AWS_ACCESS_KEY_ID="$ACCESS" AWS_SECRET_ACCESS_KEY="$SECRET"
  export S3_OTHER_ACCESS_KEY="$OTHER_ACCESS" S3_OTHER_SECRET_KEY="$OTHER_SECRET"
  exec "$@"
}

case $VERB in
  start) start ;;
  stop) stop ;;
  run) run "$@" ;;
  *) die "$VERB? start, stop or run" ;;
esac
