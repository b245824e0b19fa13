#!/bin/sh
# swift.sh start|stop|run PLACE [COMMAND…]: one Swift node (one replica) with its S3 API on http and https.
#   start  installs the packages when they are missing and starts it. Where they cannot be installed it says so, and
#          `run` then skips; where the server cannot start it fails.
#   run    runs the command with S3_* variables that tell where it is.
#   stop   stops it and removes its state.
# PLACE is a file that remembers where the state lies.
# shellcheck disable=SC2034 # for lib.sh
NAME=swift
VERB=${1:?start, stop or run}
PLACE=${2:?a file that remembers the place}
shift 2
# shellcheck source=tests/servers/lib.sh
. "$(dirname "$0")/lib.sh"

port_of() { echo $(($(cat "$RUN/base.port") + $1)); }

# Swift logs to a syslog socket only; this one is never there.
common_conf() {
  cat <<END
[DEFAULT]
bind_ip = $HOST
bind_port = $1
workers = 0
user = $(id -un)
swift_dir = $RUN/etc
log_address = $RUN/no-log
END
}

backend_conf() {
  {
    common_conf "$2"
    cat <<END
devices = $RUN/devices
mount_check = false
[pipeline:main]
pipeline = $1-server
[app:$1-server]
use = egg:swift#$1
END
  } >"$RUN/etc/$1-server.conf"
}

proxy_conf() {
  filters="catch_errors gatekeeper healthcheck cache listing_formats bulk tempurl s3api tempauth copy slo dlo"
  filters="$filters versioned_writes symlink"
  {
    common_conf "$2"
    echo "$3"
    cat <<END
[pipeline:main]
pipeline = $filters proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = $HOST:$(port_of 3)
[filter:s3api]
use = egg:swift#s3api
location = default
check_bucket_owner = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
user_other_other = other .admin
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
END
    for filter in catch_errors gatekeeper healthcheck listing_formats bulk tempurl copy slo dlo symlink; do
      printf '[filter:%s]\nuse = egg:swift#%s\n' "$filter" "$filter"
    done
  } >"$RUN/etc/$1.conf"
}

make_ring() {
  (
    cd "$RUN/etc"
    swift-ring-builder "$1.builder" create 4 1 0
    swift-ring-builder "$1.builder" add --region 1 --zone 1 --ip "$HOST" --port "$2" --device d1 --weight 1
    swift-ring-builder "$1.builder" rebalance
  ) >>"$RUN/ring.log" 2>&1 || die "swift-ring-builder $1: $(tail -n 3 "$RUN/ring.log")"
}

write_conf() {
  free_ports 6 >"$RUN/base.port"
  mkdir -p "$RUN/etc" "$RUN/devices/d1"
  cat >"$RUN/etc/swift.conf" <<END
[swift-hash]
swift_hash_path_prefix = test
swift_hash_path_suffix = test
[storage-policy:0]
name = Policy-0
default = yes
END
  number=0
  for server in object container account; do
    backend_conf $server "$(port_of $number)"
    make_ring $server "$(port_of $number)"
    number=$((number + 1))
  done
  proxy_conf proxy-http "$(port_of 4)" ""
  proxy_conf proxy-https "$(port_of 5)" "cert_file = $RUN/tls/server.pem
key_file = $RUN/tls/server.key"
}

start_daemons() {
  spawn memcached memcached -u nobody -l "$HOST" -p "$(port_of 3)" -m 64
  number=0
  for server in object container account; do
    spawn $server "swift-$server-server" "$RUN/etc/$server-server.conf"
    wait_for 30 $server "$server server" http_up "http://$HOST:$(port_of $number)/recon/version"
    number=$((number + 1))
  done
  spawn proxy-http swift-proxy-server "$RUN/etc/proxy-http.conf"
  spawn proxy-https swift-proxy-server "$RUN/etc/proxy-https.conf"
  wait_for 30 proxy-http "answer on http" http_up "http://$HOST:$(port_of 4)/healthcheck"
  wait_for 30 proxy-https "answer on https" http_up "https://objects.localhost:$(port_of 5)/healthcheck"
}

start() {
  ! find_run || stop
  rm -f "$PLACE" "$PLACE.skip"
  if ! "$TOOLS/install-packages" swift >"$PLACE.packages" 2>&1; then
    echo "the packages of Swift cannot be installed: $(tail -n 3 "$PLACE.packages")" >"$PLACE.skip"
    say "skipped: $(cat "$PLACE.skip")"
    return 0
  fi
  make_run
  trap '[ $? = 0 ] || { stop; exit 1; }' EXIT
  trap 'exit 1' INT TERM HUP
  make_tls
  write_conf
  start_daemons
  say "up: https://objects.localhost:$(port_of 5)"
}

stop() {
  find_run || return 0
  for daemon in proxy-http proxy-https object container account memcached; do halt $daemon 5; done
  rm -rf "$RUN"
  rm -f "$PLACE"
}

run() {
  if [ -s "$PLACE.skip" ]; then
    say "skipped: $(cat "$PLACE.skip")"
    exit $SKIPPED
  fi
  find_run || die "it is not running: $0 start $PLACE"
  S3_ENDPOINT="https://objects.localhost:$(port_of 5)"
  S3_PLAIN_ENDPOINT="http://objects.localhost:$(port_of 4)"
  export S3_ENDPOINT S3_PLAIN_ENDPOINT
  export S3_CA="$RUN/tls/ca.pem" S3_OTHER_CA="$RUN/tls/other-ca.pem" S3_REGION=default S3_SERVER=swift
  export AWS_ACCESS_KEY_ID=test:tester AWS_SECRET_ACCESS_KEY=testing
  export S3_OTHER_ACCESS_KEY=other:other S3_OTHER_SECRET_KEY=other
  exec "$@"
}

case $VERB in
  start) start ;;
  stop) stop ;;
  run) run "$@" ;;
  *) die "$VERB? start, stop or run" ;;
esac
