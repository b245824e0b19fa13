#include <fmt/core.h>

#include "report/verify_report.h"

namespace enclave::report {
namespace {

/// For sh: within single quotes everything stands for itself but the single quote.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

constexpr std::string_view kHead = R"sh(
set -eu
export LC_ALL=C
log="$bucket/v1/$origin"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "VIOLATED: $*"; exit 3; }

# --- 1. The checkpoint: name of the log, number of leaves, root of the tree, and below an empty line signatures.
[ -e "$log/checkpoint" ] || fail "there is no checkpoint"
sed '/^$/,$d' "$log/checkpoint" > "$work/text"
[ "$(sed -n 1p "$work/text")" = "$origin" ] || fail "this is the checkpoint of another log"
size=$(sed -n 2p "$work/text")
root=$(sed -n 3p "$work/text")
case $size in '' | 0* | *[!0-9]*) fail "the checkpoint has no size" ;; esac
echo "checkpoint of $size leaves, root $root"
)sh";

constexpr std::string_view kLeaves = R"sh(
# --- 2. The leaves, out of the entry bundles: each stands behind two bytes that give its length.
number() { # 1234567 -> x001/x234/567, the names of C2SP tlog-tiles
  rest=$1; name=$(printf '%03d' $((rest % 1000)))
  while [ "$rest" -ge 1000 ]; do rest=$((rest / 1000)); name=$(printf 'x%03d/%s' $((rest % 1000)) "$name"); done
  echo "$name"
}
index=0
while [ "$index" -lt "$size" ]; do
  bundle="$log/tile/entries/$(number $((index / 256)))"
  [ -e "$bundle" ] || bundle="$bundle.p/$((size % 256))"
  [ -e "$bundle" ] || fail "$bundle is missing"
  offset=0
  while :; do
    set -- $(od -An -tu1 -j "$offset" -N 2 "$bundle")
    [ $# -eq 2 ] || fail "$bundle ends before leaf $index"
    length=$(($1 * 256 + $2))
    tail -c +$((offset + 3)) "$bundle" | head -c "$length" > "$work/leaf.$index"
    offset=$((offset + 2 + length)); index=$((index + 1))
    [ $((index % 256)) -ne 0 ] && [ "$index" -lt "$size" ] || break
  done
done

# --- 3. The root over them (RFC 6962): SHA-256(00 leaf), SHA-256(01 left right). `depth` roots wait for a right side.
sha() { openssl dgst -sha256 -binary; }
join() {
  { printf '\001'; cat "$work/wait.$((depth - 1))" "$work/wait.$depth"; } | sha > "$work/node"
  depth=$((depth - 1)); mv "$work/node" "$work/wait.$depth"
}
depth=0; index=0
while [ "$index" -lt "$size" ]; do
  depth=$((depth + 1))
  { printf '\000'; cat "$work/leaf.$index"; } | sha > "$work/wait.$depth"
  index=$((index + 1)); bits=$index
  while [ $((bits % 2)) -eq 0 ]; do join; bits=$((bits / 2)); done
done
while [ "$depth" -gt 1 ]; do join; done
[ "$(base64 < "$work/wait.1")" = "$root" ] || fail "the leaves do not have the root of the checkpoint"
echo "all leaves are under the root"
)sh";

constexpr std::string_view kKeys = R"sh(
# --- 4. The keys. Leaf 0 names the first one; each `key` leaf names the next, signed by the key before and by itself.
der() { # an Ed25519 public key as openssl reads it, from a verifier key <name>+<hash>+<base64 of 01 and 32 bytes>
  printf '\060\052\060\005\006\003\053\145\160\003\041\000'; echo "${1#*+*+}" | base64 -d | tail -c 32
}
ed25519() { # verifier key, file that is signed, file with the signature
  der "$1" > "$work/key.der"
  openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key.der" -rawin -in "$2" -sigfile "$3" > "$work/said" 2>&1
}
signed_leaf() { # leaf, verifier key
  sed '/^signed /,$d' "$1" > "$work/part"
  sed -n 's/^signed //p' "$1" | while read -r by signature; do
    if [ "$by" = "$2" ]; then echo "$signature" | base64 -d; fi
  done > "$work/signature"
  ed25519 "$2" "$work/part" "$work/signature"
}
grep -qxF "key $vkey" "$work/leaf.0" || fail "leaf 0 does not name the key that you were given"
current=$vkey; index=0
while [ "$index" -lt "$size" ]; do
  leaf="$work/leaf.$index"
  if [ "$(sed -n 4p "$leaf")" = 'kind key' ]; then
    next=$(sed -n 's/^key //p' "$leaf")
    signed_leaf "$leaf" "$current" || fail "leaf $index is not signed by $current"
    signed_leaf "$leaf" "$next" || fail "leaf $index is not signed by $next"
    current=$next
  fi
  index=$((index + 1))
done
hash=${current#*+}; hash=${hash%%+*}
: > "$work/signature"
sed -n '1,/^$/d; s/^[^ ]* [^ ]* //p' "$log/checkpoint" | while read -r line; do
  echo "$line" | base64 -d > "$work/line" || continue
  if [ "$(od -An -tx1 -N 4 "$work/line" | tr -d ' \n')" = "$hash" ]; then
    tail -c +5 "$work/line" > "$work/signature"
  fi
done
ed25519 "$current" "$work/text" "$work/signature" || fail "the checkpoint is not signed by $current"
echo "the checkpoint is signed by the key in force"
)sh";

constexpr std::string_view kObjects = R"sh(
# --- 5. The objects: a batch leaf gives key, length and SHA-256 of the stored bytes. What an `expire` leaf names was
# deleted lawfully.
for leaf in "$work"/leaf.*; do
  if [ "$(sed -n 4p "$leaf")" = 'kind expire' ]; then sed -n 's/^object \([^ ]*\) .*/\1/p' "$leaf"; fi
done > "$work/expired"
for leaf in "$work"/leaf.*; do
  if [ "$(sed -n 4p "$leaf")" = 'kind batch' ]; then sed -n 's/^object //p' "$leaf"; fi
done | while read -r key bytes hash; do
  if [ -e "$bucket/$key" ] || ! grep -qxF "$key" "$work/expired"; then echo "$hash  $key"; fi
done > "$work/objects"
if [ -s "$work/objects" ]; then
  (cd "$bucket" && sha256sum --check --quiet --strict "$work/objects") || fail "objects are not what was sealed"
fi
echo "$(wc -l < "$work/objects") objects are what was sealed"
)sh";

constexpr std::string_view kRecords = R"sh(
# --- 6. The records. Without the identity nobody can read them, and nobody needs to for what is above. One object:
#   age -d -i IDENTITY OBJECT | zstd -d
if [ -n "$identity" ]; then
  for leaf in "$work"/leaf.*; do
    key=$(sed -n 's/^object \([^ ]*\) .*/\1/p' "$leaf")
    seq=$(sed -n 's/^seq //p' "$leaf")
    if [ "$(sed -n 4p "$leaf")" != 'kind batch' ] || [ -z "$seq" ] || [ ! -e "$bucket/$key" ]; then continue; fi
    age -d -i "$identity" "$bucket/$key" > "$work/plain.zst" || fail "$key cannot be decrypted"
    zstd -d -q -c "$work/plain.zst" > "$work/records" || fail "$key cannot be decompressed"
    first=${seq%-*}; last=${seq#*-}
    [ "$(wc -l < "$work/records")" -eq $((last - first + 1)) ] || fail "$key has not the records $seq"
    head -n 1 "$work/records" | grep -q "^{\"seq\":$first," || fail "$key does not begin at record $first"
  done
  echo "all records could be read"
fi
)sh";

}  // namespace

std::string explain_commands(std::string_view origin, const Explain& explain) {
  std::string out = "#!/bin/sh\n# What `enclave verify` checks, done with sha256sum, openssl, age and zstd alone.\n";
  out += "# A bucket is copied into a directory first, with any S3 tool.\n";
  out += fmt::format("(\nbucket={}\norigin={}\n", quoted(explain.directory), quoted(origin));
  if (explain.vkey.empty()) out += "# The trust anchor, from the host's owner and not from the bucket:\n";
  out += fmt::format("vkey={}\nidentity={}\n", quoted(explain.vkey), quoted(explain.identity));
  for (const std::string_view part : {kHead, kLeaves, kKeys, kObjects, kRecords}) out += part;
  return out + "echo GOOD\n) || exit $?\n";
}

}  // namespace enclave::report
