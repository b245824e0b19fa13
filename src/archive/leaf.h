#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"

/// The leaf: what the log commits to (docs/formats/leaf.md).
namespace enclave::archive {

using crypto::Digest;

inline constexpr std::size_t kLeafBytesMax = 65'535;

enum class LeafKind : std::uint8_t { batch, heartbeat, boot, key, gap, fork, expire };
std::string_view name_of(LeafKind kind);

struct LeafSource {
  std::string source;
  std::string from;
  std::string to;
  std::uint64_t count = 0;
  std::uint64_t lost = 0;
  bool operator==(const LeafSource&) const = default;
};

struct LeafObject {
  std::string key;
  std::uint64_t bytes = 0;
  Digest sha256{};
  bool operator==(const LeafObject&) const = default;
};

/// A signature over the leaf's text up to its first `signed` line, by the key of this vkey.
struct LeafSignature {
  std::string vkey;
  std::string signature;  ///< 64 raw bytes
  bool operator==(const LeafSignature&) const = default;
};

struct Leaf {
  std::string origin;
  std::uint64_t index = 0;
  LeafKind kind = LeafKind::batch;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> seq;  ///< first and last record, inclusive
  std::string boot_id;                                         ///< lower-case hex with dashes, or empty
  std::int64_t boot_ns = 0;                                    ///< boot time of the last record
  std::int64_t time_first_ns = 0;
  std::int64_t time_last_ns = 0;
  std::optional<Digest> root;  ///< over the batch's records
  std::optional<LeafObject> object;
  std::string vkey;  ///< of a key leaf: the new verifier key
  /// Of a fork leaf: "<origin> <size> <hex root>" of the log that ended.
  std::string previous;
  std::string reason;  ///< of gap, fork, expire: one line of plain text
  std::vector<LeafSource> sources;
  std::vector<LeafSignature> signatures;  ///< of a key leaf: by the old and by the new key
  bool operator==(const Leaf&) const = default;
};

/// Whether format_leaf can write it: the lines that its kind must and may have, the form of each field, the length.
/// Fault::invalid says what is wrong.
Result<void> check_leaf(const Leaf& leaf);
/// The canonical text. ENSUREs that it fits kLeafBytesMax and that texts hold no white space where none may be.
std::string format_leaf(const Leaf& leaf);
/// The part that LeafSignature covers.
std::string signed_part_of(const Leaf& leaf);
/// Strict: accepts exactly what format_leaf writes. Fault::corrupt names the line.
Result<Leaf> parse_leaf(std::string_view text);
/// Upper bound of what this source adds to a leaf, so that a batch is closed before its leaf is full.
std::size_t leaf_source_bytes(std::string_view source, std::string_view from, std::string_view to);

}  // namespace enclave::archive
