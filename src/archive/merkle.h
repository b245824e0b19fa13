#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "crypto/digest.h"

/// Merkle trees (RFC 6962 section 2.1; the same in RFC 9162).
namespace enclave::archive {

using crypto::Digest;

Digest leaf_hash(std::string_view data);                    ///< SHA-256(00 || data)
Digest node_hash(const Digest& left, const Digest& right);  ///< SHA-256(01 || left || right)

/// The same for many, several times as fast. `out` is as long as `data`.
void leaf_hashes(std::span<const std::string_view> data, std::span<Digest> out);

/// Root over the leaf hashes, in order; none gives SHA-256 of the empty string. Cannot fail.
Digest root_of(std::span<const Digest> leaves);

/// The right edge of a growing tree: O(log n) memory.
class CompactTree {
 public:
  void append(const Digest& leaf);
  /// The same as append() of each, several times as fast.
  void append_all(std::span<const Digest> leaves);
  std::uint64_t size() const { return size_; }
  Digest root() const;
  void clear();

 private:
  /// A perfect subtree over `leaves` leaves, a power of two that divides size_.
  void append_subtree(Digest root, std::uint64_t leaves);
  std::uint64_t size_ = 0;
  std::vector<Digest> peaks_;  ///< roots of the perfect subtrees, largest first
};

/// Audit path of leaf `index` in the tree over `leaves` (RFC 6962 section 2.1.1). `index` < leaves.size().
std::vector<Digest> inclusion_proof(std::span<const Digest> leaves, std::uint64_t index);
bool verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size, std::span<const Digest> proof,
                      const Digest& root);
/// Consistency proof between the tree over the first `older` leaves and all (RFC 6962 section 2.1.2).
std::vector<Digest> consistency_proof(std::span<const Digest> leaves, std::uint64_t older);
bool verify_consistency(std::uint64_t older, std::uint64_t newer, const Digest& older_root, const Digest& newer_root,
                        std::span<const Digest> proof);

}  // namespace enclave::archive
