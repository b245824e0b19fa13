#!/bin/sh
# main_job.sh ENCLAVE ENCLAVE_VERIFY S3_TOOL: one line, from a file to a sealed bucket of a real S3 server to a proof.
# To be run by ceph.sh run.
set -eu

ENCLAVE=$1
ENCLAVE_VERIFY=$2
S3_TOOL=$3
WORK=$(mktemp -d "${TMPDIR:-/tmp}/enclave-main-job-XXXXXX")
trap 'rm -rf "$WORK"' EXIT
trap 'exit 1' INT TERM HUP
ACCESS_KEY=$AWS_ACCESS_KEY_ID
SECRET_KEY=$AWS_SECRET_ACCESS_KEY
BUCKET=main-job-$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')

fail() {
  echo "FAILED: $*" >&2
  sed 's/^/  said: /' "$WORK/said" >&2 2>/dev/null || true
  exit 1
}

# expect STATUS WHAT COMMAND…: runs it, keeps what it says in $WORK/said.
expect() {
  wanted=$1
  what=$2
  shift 2
  got=0
  "$@" >"$WORK/said" 2>&1 || got=$?
  [ "$got" = "$wanted" ] || fail "$what: status $got, not $wanted"
  echo "ok: $what"
}

says() { grep -q -- "$1" "$WORK/said" || fail "it does not say \"$1\""; }

# write_config NAME ENDPOINT CA
write_config() {
  cat >"$WORK/$1.yaml" <<END
enclave: test
state: $WORK/state
storage: {endpoint: "$2", region: $S3_REGION, ca: $3, credentials: env}
buckets: [{name: $BUCKET, for: logs}]
logging:
  inputs:
    - {type: file, paths: [$WORK/logs/*.log]}
END
}

keys() { "$S3_TOOL" list "$BUCKET" >"$WORK/keys" || fail "the bucket cannot be listed"; }

write_config good "$S3_ENDPOINT" "$S3_CA"
write_config other-ca "$S3_ENDPOINT" "$S3_OTHER_CA"
mkdir "$WORK/logs"
"$S3_TOOL" make "$BUCKET"

# Into the bucket as an identity that may only put, through controls that made it so.
printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$S3_OTHER_ACCESS_KEY" "$S3_OTHER_SECRET_KEY" \
  >"$WORK/writer.keys"
chmod 600 "$WORK/writer.keys"
mkdir "$WORK/put-only"
echo 'put, and nothing else' >"$WORK/put-only/a.log"
cat >"$WORK/put-only.yaml" <<END
enclave: put-only
state: $WORK/put-only-state
storage: {endpoint: "$S3_ENDPOINT", region: $S3_REGION, ca: $S3_CA, writer: "file:$WORK/writer.keys"}
buckets: [{name: $BUCKET-put, for: logs}]
logging: {inputs: [{type: file, paths: [$WORK/put-only/*.log]}]}
END
expect 0 "apply makes the bucket and its policy" "$ENCLAVE" apply --yes -c "$WORK/put-only.yaml"
expect 0 "an identity that may only put seals" "$ENCLAVE" run --once -c "$WORK/put-only.yaml"
echo 'and again' >>"$WORK/put-only/a.log"
expect 0 "and seals again" "$ENCLAVE" run --once -c "$WORK/put-only.yaml"
expect 0 "the owner finds it whole" "$ENCLAVE" verify -c "$WORK/put-only.yaml"
expect 0 "the audit proves that it may not read" "$ENCLAVE" audit --only storage.separation -c "$WORK/put-only.yaml"
AWS_ACCESS_KEY_ID=$S3_OTHER_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$S3_OTHER_SECRET_KEY
expect 1 "the writer cannot verify" "$ENCLAVE" verify -c "$WORK/put-only.yaml"
AWS_ACCESS_KEY_ID=$ACCESS_KEY AWS_SECRET_ACCESS_KEY=$SECRET_KEY

# Into the bucket, and out again with tools that are not ours.
seq -f 'first %g' 1 500 >"$WORK/logs/a.log"
printf 'caf\303\251 \377\000 end\r\n' >"$WORK/logs/b.log"
expect 0 "run --once seals into the bucket" "$ENCLAVE" run --once -c "$WORK/good.yaml"
expect 0 "verify finds it whole" "$ENCLAVE" verify -c "$WORK/good.yaml"
keys
object=$(sed -n 's/^\(.*\.age\) .* latest$/\1/p' "$WORK/keys" | head -n 1)
[ -n "$object" ] || fail "there is no object in the bucket"
origin=$(echo "$object" | sed 's|^v1/||; s|/b/.*||')
"$S3_TOOL" get "$BUCKET" "$object" >"$WORK/object"
head -c 21 "$WORK/object" | grep -qx age-encryption.org/v1 || fail "the object is not an age file"
# A short record names the full one before it (docs/formats/record.md).
age -d -i "$WORK/state/keys/log-identity.txt" "$WORK/object" | zstd -dc |
  jq -rjn 'foreach inputs as $r (null; if $r.as then .next = $r else {full: $r, next: $r} end;
             (.full | {src}) + (.next | del(.as))) |
           select(.src | contains("/a.log")) | .raw + (.eol // "\n")' >"$WORK/opened"
cmp "$WORK/opened" "$WORK/logs/a.log" || fail "the opened object is not the file that was read"
echo "ok: age and zstd give the lines back"

# The server is refused, then it is back: every line once.
seq -f 'second %g' 1 500 >>"$WORK/logs/a.log"
expect 1 "run --once refuses a server of another authority" \
  timeout --preserve-status 10 "$ENCLAVE" run --once -c "$WORK/other-ca.yaml"
says "SSL certificate"
seq -f 'third %g' 1 500 >>"$WORK/logs/a.log"
expect 0 "run --once sends what waited" "$ENCLAVE" run --once -c "$WORK/good.yaml"
expect 0 "verify finds it whole again" "$ENCLAVE" verify -c "$WORK/good.yaml"
"$ENCLAVE" search -c "$WORK/good.yaml" --json --limit 10000 >"$WORK/found" || fail "search"
jq -r 'select(.src | contains("/a.log")) | .raw' "$WORK/found" | sort >"$WORK/raw"
sort "$WORK/logs/a.log" | cmp - "$WORK/raw" || fail "not every line is there exactly once"
echo "ok: every line is there once"

# From another machine, and from a copy.
vkey=$(cat "$WORK/state/log/1/anchor")
expect 0 "verify s3:// with the key alone" "$ENCLAVE" verify "s3://$BUCKET" --endpoint "$S3_ENDPOINT" --ca "$S3_CA" \
  --region "$S3_REGION" --credentials env --key "$vkey" --no-seen
keys
while read -r key _ state; do
  [ "$state" = latest ] || continue
  mkdir -p "$WORK/copy/$(dirname "$key")"
  "$S3_TOOL" get "$BUCKET" "$key" >"$WORK/copy/$key"
done <"$WORK/keys"
expect 0 "enclave-verify finds a copy whole" "$ENCLAVE_VERIFY" "$WORK/copy" --key "$vkey"

# Whoever holds the keys of the bucket can change it, but not unseen; and versioning brings back what was.
version_of() { sed -n "s|^$1 \\([^ ]*\\) $2\$|\\1|p" "$WORK/keys" | head -n 1; }
tr '\000-\377' '\001-\377\000' <"$WORK/object" | "$S3_TOOL" put "$BUCKET" "$object"
expect 3 "a changed object is found" "$ENCLAVE" verify -c "$WORK/good.yaml"
says MODIFIED
keys
"$S3_TOOL" remove "$BUCKET" "$object" "$(version_of "$object" latest)"
expect 0 "its old version makes the log whole" "$ENCLAVE" verify -c "$WORK/good.yaml"

"$S3_TOOL" remove "$BUCKET" "$object"
expect 3 "a deleted object is found" "$ENCLAVE" verify -c "$WORK/good.yaml"
says MISSING
keys
"$S3_TOOL" remove "$BUCKET" "$object" "$(version_of "$object" deleted)"
expect 0 "without the delete marker the log is whole" "$ENCLAVE" verify -c "$WORK/good.yaml"

echo planted | "$S3_TOOL" put "$BUCKET" "v1/$origin/b/00000000000000000001.ndjson.zst.age"
expect 3 "an added object is found" "$ENCLAVE" verify -c "$WORK/good.yaml"
says EXTRA
