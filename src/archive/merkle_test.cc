#include "archive/merkle.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace enclave::archive {
namespace {

Digest digest_of_hex(std::string_view hex) {
  const std::string bytes = from_hex(hex).value();
  Digest digest{};
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(digest.data()));
  return digest;
}

// The test tree of the Certificate Transparency reference implementation.
constexpr std::string_view kInputs[] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
constexpr std::string_view kRoots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

std::vector<Digest> reference_leaves(std::size_t count) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(leaf_hash(from_hex(kInputs[i]).value()));
  return leaves;
}

std::vector<Digest> numbered_leaves(std::size_t count) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(leaf_hash(std::to_string(i)));
  return leaves;
}

std::vector<Digest> digests(std::initializer_list<std::string_view> hex) {
  std::vector<Digest> all;
  for (const auto& each : hex) all.push_back(digest_of_hex(each));
  return all;
}

TEST(Merkle, RootsAreThoseOfTheReferenceTreeForEverySize) {
  for (std::size_t size = 0; size <= 8; ++size)
    EXPECT_EQ(to_hex(bytes_of(root_of(reference_leaves(size)))), kRoots[size]);
}

TEST(Merkle, InclusionProofsAreThoseOfTheReferenceTree) {
  struct Vector {
    std::uint64_t index, size;
    std::vector<Digest> proof;
  };
  const Vector vectors[] = {
      {0, 1, {}},
      {0, 2, digests({"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"})},
      {1, 2, digests({"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"})},
      {2, 3, digests({"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"})},
      {1, 5,
       digests({"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"})},
      {0, 8,
       digests({"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"})},
      {5, 8,
       digests({"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"})},
  };
  for (const auto& each : vectors) {
    const auto leaves = reference_leaves(each.size);
    EXPECT_EQ(inclusion_proof(leaves, each.index), each.proof) << each.index << " of " << each.size;
    EXPECT_TRUE(
        verify_inclusion(leaves[each.index], each.index, each.size, each.proof, digest_of_hex(kRoots[each.size])));
  }
}

TEST(Merkle, ConsistencyProofsAreThoseOfTheReferenceTree) {
  struct Vector {
    std::uint64_t older, newer;
    std::vector<Digest> proof;
  };
  const Vector vectors[] = {
      {1, 1, {}},
      {1, 8,
       digests({"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"})},
      {2, 5,
       digests({"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"})},
      {6, 8,
       digests({"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"})},
  };
  for (const auto& each : vectors) {
    EXPECT_EQ(consistency_proof(reference_leaves(each.newer), each.older), each.proof);
    EXPECT_TRUE(verify_consistency(each.older, each.newer, digest_of_hex(kRoots[each.older]),
                                   digest_of_hex(kRoots[each.newer]), each.proof));
  }
}

TEST(Merkle, EveryInclusionProofHoldsAndNoneHoldsForAnotherLeafPlaceOrTree) {
  const auto leaves = numbered_leaves(41);
  for (std::size_t size = 1; size <= 40; ++size) {
    const auto tree = std::span(leaves).first(size);
    const Digest root = root_of(tree);
    for (std::size_t index = 0; index < size; ++index) {
      auto proof = inclusion_proof(tree, index);
      ASSERT_TRUE(verify_inclusion(leaves[index], index, size, proof, root)) << index << " of " << size;
      for (std::size_t other = 0; other <= size + 1; ++other)
        ASSERT_EQ(verify_inclusion(leaves[index], other, size, proof, root), other == index);
      ASSERT_FALSE(verify_inclusion(leaves[index + 1], index, size, proof, root));
      ASSERT_FALSE(verify_inclusion(leaves[index], index, size, proof, leaves[index + 1]));
      proof.push_back(root);
      ASSERT_FALSE(verify_inclusion(leaves[index], index, size, proof, root));
      proof.pop_back();
      if (proof.empty()) continue;
      ASSERT_FALSE(verify_inclusion(leaves[index], index, size, std::span(proof).first(proof.size() - 1), root));
      proof[0][7] ^= 1;
      ASSERT_FALSE(verify_inclusion(leaves[index], index, size, proof, root));
    }
  }
}

TEST(Merkle, EveryConsistencyProofHoldsAndNoneHoldsForAnotherHistory) {
  const auto leaves = numbered_leaves(40);
  for (std::size_t newer = 0; newer <= 40; ++newer) {
    const auto tree = std::span(leaves).first(newer);
    const Digest root = root_of(tree);
    for (std::size_t older = 0; older <= newer; ++older) {
      const Digest older_root = root_of(tree.first(older));
      auto proof = consistency_proof(tree, older);
      ASSERT_TRUE(verify_consistency(older, newer, older_root, root, proof)) << older << " and " << newer;
      ASSERT_FALSE(verify_consistency(older, newer, leaf_hash("x"), root, proof)) << older << " and " << newer;
      // Every tree goes on from the empty one.
      ASSERT_EQ(verify_consistency(older, newer, older_root, leaf_hash("x"), proof), older == 0 && newer > 0);
      ASSERT_EQ(verify_consistency(newer, older, root, older_root, proof), newer == older);
      proof.push_back(root);
      ASSERT_FALSE(verify_consistency(older, newer, older_root, root, proof));
      proof.pop_back();
      for (auto& node : proof) {
        node[31] ^= 0x80;
        ASSERT_FALSE(verify_consistency(older, newer, older_root, root, proof));
        node[31] ^= 0x80;
      }
      if (proof.empty()) continue;
      ASSERT_FALSE(verify_consistency(older, newer, older_root, root, std::span(proof).first(proof.size() - 1)));
    }
  }
}

TEST(CompactTree, HasTheRootOfAllLeavesAtEverySize) {
  const auto leaves = numbered_leaves(300);
  CompactTree tree;
  for (std::size_t size = 0; size <= leaves.size(); ++size) {
    ASSERT_EQ(tree.size(), size);
    ASSERT_EQ(tree.root(), root_of(std::span(leaves).first(size)));
    if (size < leaves.size()) tree.append(leaves[size]);
  }
  tree.clear();
  EXPECT_EQ(tree.root(), root_of({}));
}

TEST(CompactTree, TakesManyLeavesAtOnceAsItTakesThemOneByOne) {
  std::vector<Digest> leaves;
  for (int i = 0; i < 5000; ++i) leaves.push_back(leaf_hash(std::to_string(i)));
  for (std::size_t step : {1, 2, 3, 7, 64, 1000, 1024, 1025, 5000}) {
    CompactTree at_once, one_by_one;
    for (std::size_t at = 0; at < leaves.size(); at += step) {
      const auto part = std::span(leaves).subspan(at, std::min(step, leaves.size() - at));
      at_once.append_all(part);
      for (const Digest& leaf : part) one_by_one.append(leaf);
      ASSERT_EQ(at_once.root(), one_by_one.root()) << step << " at " << at;
      ASSERT_EQ(at_once.size(), one_by_one.size());
    }
  }
}

}  // namespace
}  // namespace enclave::archive
