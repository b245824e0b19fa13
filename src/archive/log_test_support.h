#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "archive/leaf_file.h"
#include "archive/log.h"
#include "archive/merkle.h"
#include "archive/test_files.h"
#include "base/encoding.h"

/// A log on a disk in memory, and what must always hold of it.
namespace enclave::archive {

struct LogBed {
  TestFiles files;
  TestClock clock;
  TestRandom random{7};
  Log::Options options{"/state", "ec528", "vm-1", "b1", ".ndjson.zst.age"};

  World world() { return {clock, files, random}; }

  std::unique_ptr<Log> open() {
    Notices notices;
    auto log = Log::open(world(), options, notices);
    EXPECT_TRUE(log) << log.error().text();
    return log ? std::move(*log) : nullptr;
  }

  Leaf batch(std::uint64_t first, std::uint64_t last) const {
    Leaf leaf = positions(last);
    leaf.seq = {first, last};
    leaf.root = leaf_hash(std::to_string(first));
    leaf.sources[0].count = last - first + 1;
    return leaf;
  }
  Leaf positions(std::uint64_t to) const {
    Leaf leaf;
    leaf.boot_id = options.boot_id;
    leaf.boot_ns = 1;
    leaf.sources = {{"file:/var/log/x@1", "0", std::to_string(to), 0, 0}};
    return leaf;
  }

  /// All leaves of a generation as they stand in its file.
  std::vector<Leaf> leaves(std::uint64_t generation) {
    std::vector<Leaf> all;
    for (const auto& text : texts(generation)) all.push_back(parse_leaf(text).value());
    return all;
  }
  std::vector<std::string> texts(std::uint64_t generation) {
    std::vector<std::string> all;
    const auto file = files.open("/state/log/" + std::to_string(generation) + "/leaves").value();
    const auto take = [&](std::uint64_t, std::string_view text) {
      all.emplace_back(text);
      return true;
    };
    const auto scan = scan_leaves(*file, take, [](std::uint64_t, std::string_view) { ADD_FAILURE() << "damaged"; });
    EXPECT_TRUE(scan && scan->end == LeafScan::End::whole);
    return all;
  }
  std::string root_text(Log& log) {
    const Note note = Note::parse(log.checkpoint(log.size()).value().bytes).value();
    return to_hex(bytes_of(Checkpoint::parse(note.text).value().root));
  }

  /// The file's leaves parse, number on, form the tree of the checkpoint, and each key is vouched for by the one
  /// before.
  void expect_sound(Log& log) {
    const std::string& origin = log.origin();
    const std::uint64_t generation = std::stoull(origin.substr(origin.rfind('g') + 1));
    const auto all = texts(generation);
    ASSERT_EQ(all.size(), log.size());
    std::vector<Digest> hashes;
    std::string vkey;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Leaf leaf = parse_leaf(all[i]).value();
      ASSERT_EQ(leaf.index, i);
      ASSERT_EQ(leaf.origin, origin);
      hashes.push_back(leaf_hash(all[i]));
      if (leaf.kind != LeafKind::key) continue;
      ASSERT_EQ(leaf.signatures.front().vkey, vkey.empty() ? log.trust_anchor() : vkey);
      ASSERT_EQ(leaf.signatures.back().vkey, leaf.vkey);
      for (const auto& each : leaf.signatures) {
        crypto::Ed25519Signature signature{};
        std::copy(each.signature.begin(), each.signature.end(), reinterpret_cast<char*>(signature.data()));
        ASSERT_TRUE(crypto::verify(NoteVerifier::parse(each.vkey)->key, signed_part_of(leaf), signature));
      }
      vkey = leaf.vkey;
    }
    const auto checkpoint = log.checkpoint(log.size());
    ASSERT_TRUE(checkpoint) << checkpoint.error().text();
    const Note note = Note::parse(checkpoint->bytes).value();
    EXPECT_TRUE(note.verified_by(NoteVerifier::parse(vkey).value()));
    EXPECT_EQ(Checkpoint::parse(note.text).value(), (Checkpoint{origin, all.size(), root_of(hashes), {}}));
  }
};

}  // namespace enclave::archive
