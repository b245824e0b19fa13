#include "archive/merkle.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/encoding.h"
#include "base/result.h"
#include "crypto/sha256_many.h"

namespace enclave::archive {
namespace {

constexpr std::string_view kLeafPrefix("\0", 1);
constexpr std::string_view kNodePrefix("\1", 1);

// The k of RFC 6962: the largest power of two smaller than n.
std::uint64_t split_of(std::uint64_t n) { return std::bit_floor(n - 1); }

void append_consistency(std::span<const Digest> leaves, std::uint64_t older, bool whole, std::vector<Digest>& proof) {
  if (older == leaves.size()) {
    // The verifier knows the older root already when it is the whole older tree.
    if (!whole) proof.push_back(root_of(leaves));
    return;
  }
  const std::uint64_t split = split_of(leaves.size());
  if (older <= split) {
    append_consistency(leaves.first(split), older, whole, proof);
    proof.push_back(root_of(leaves.subspan(split)));
  } else {
    append_consistency(leaves.subspan(split), older - split, false, proof);
    proof.push_back(root_of(leaves.first(split)));
  }
}

}  // namespace

Digest leaf_hash(std::string_view data) {
  crypto::Sha256 hash;
  hash.update(kLeafPrefix);
  hash.update(data);
  return hash.finish();
}

Digest node_hash(const Digest& left, const Digest& right) {
  crypto::Sha256 hash;
  hash.update(kNodePrefix);
  hash.update(bytes_of(left));
  hash.update(bytes_of(right));
  return hash.finish();
}

Digest root_of(std::span<const Digest> leaves) {
  if (leaves.empty()) return crypto::sha256({});
  if (leaves.size() == 1) return leaves[0];
  const std::uint64_t split = split_of(leaves.size());
  return node_hash(root_of(leaves.first(split)), root_of(leaves.subspan(split)));
}

void leaf_hashes(std::span<const std::string_view> data, std::span<Digest> out) { crypto::sha256_many(0, data, out); }

void CompactTree::append_subtree(Digest root, std::uint64_t leaves) {
  // Each trailing one bit of the size is a perfect subtree that the new one completes into one twice as large.
  for (std::uint64_t ones = size_ / leaves; (ones & 1) != 0; ones >>= 1) {
    root = node_hash(peaks_.back(), root);
    peaks_.pop_back();
  }
  peaks_.push_back(root);
  size_ += leaves;
}

void CompactTree::append(const Digest& leaf) { append_subtree(leaf, 1); }

void CompactTree::append_all(std::span<const Digest> leaves) {
  constexpr std::uint64_t kSubtreeMax = 1024;
  std::array<std::string_view, kSubtreeMax / 2> pairs;
  std::array<Digest, kSubtreeMax / 2> nodes, parents;
  while (!leaves.empty()) {
    const std::uint64_t aligned = size_ == 0 ? kSubtreeMax : size_ & (~size_ + 1);
    const std::uint64_t count = std::min({aligned, kSubtreeMax, std::bit_floor(std::uint64_t{leaves.size()})});
    std::span<const Digest> level = leaves.first(count);
    // A pair of digests side by side is what RFC 6962 hashes behind the prefix.
    while (level.size() > 1) {
      const std::size_t half = level.size() / 2;
      for (std::size_t i = 0; i < half; ++i)
        pairs[i] = {reinterpret_cast<const char*>(&level[2 * i]), 2 * sizeof(Digest)};
      crypto::sha256_many(1, std::span(pairs).first(half), std::span(parents).first(half));
      std::copy_n(parents.begin(), half, nodes.begin());
      level = std::span(nodes).first(half);
    }
    append_subtree(level[0], count);
    leaves = leaves.subspan(count);
  }
}

Digest CompactTree::root() const {
  if (peaks_.empty()) return crypto::sha256({});
  Digest node = peaks_.back();
  for (std::size_t i = peaks_.size() - 1; i-- > 0;) node = node_hash(peaks_[i], node);
  return node;
}

void CompactTree::clear() {
  size_ = 0;
  peaks_.clear();
}

std::vector<Digest> inclusion_proof(std::span<const Digest> leaves, std::uint64_t index) {
  ENSURE(index < leaves.size());
  std::vector<Digest> from_top;
  while (leaves.size() > 1) {
    const std::uint64_t split = split_of(leaves.size());
    if (index < split) {
      from_top.push_back(root_of(leaves.subspan(split)));
      leaves = leaves.first(split);
    } else {
      from_top.push_back(root_of(leaves.first(split)));
      leaves = leaves.subspan(split);
      index -= split;
    }
  }
  return {from_top.rbegin(), from_top.rend()};
}

// RFC 9162 section 2.1.3.2.
bool verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size, std::span<const Digest> proof,
                      const Digest& root) {
  if (index >= size) return false;
  std::uint64_t fn = index, sn = size - 1;
  Digest node = leaf;
  for (const Digest& sibling : proof) {
    if (sn == 0) return false;
    if ((fn & 1) != 0 || fn == sn) {
      node = node_hash(sibling, node);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      node = node_hash(node, sibling);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn == 0 && node == root;
}

std::vector<Digest> consistency_proof(std::span<const Digest> leaves, std::uint64_t older) {
  ENSURE(older <= leaves.size());
  std::vector<Digest> proof;
  if (older != 0 && older != leaves.size()) append_consistency(leaves, older, true, proof);
  return proof;
}

// RFC 9162 section 2.1.4.2.
bool verify_consistency(std::uint64_t older, std::uint64_t newer, const Digest& older_root, const Digest& newer_root,
                        std::span<const Digest> proof) {
  if (older > newer) return false;
  if (older == newer) return proof.empty() && older_root == newer_root;
  if (older == 0) return proof.empty() && older_root == crypto::sha256({});
  // A perfect older tree is a node of the newer one: its root opens the proof.
  if (!std::has_single_bit(older) && proof.empty()) return false;
  const bool perfect = std::has_single_bit(older);
  std::uint64_t fn = older - 1, sn = newer - 1;
  while ((fn & 1) != 0) {
    fn >>= 1;
    sn >>= 1;
  }
  Digest fr = perfect ? older_root : proof[0];
  Digest sr = fr;
  for (const Digest& node : proof.subspan(perfect ? 0 : 1)) {
    if (sn == 0) return false;
    if ((fn & 1) != 0 || fn == sn) {
      fr = node_hash(node, fr);
      sr = node_hash(node, sr);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      sr = node_hash(sr, node);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn == 0 && fr == older_root && sr == newer_root;
}

}  // namespace enclave::archive
