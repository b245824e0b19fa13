#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "cloud/object_store.h"

/// What every ObjectStore does. A store takes the suite on by instantiating it with a Bench of its own:
///   INSTANTIATE_TEST_SUITE_P(File, ObjectStoreContract, ::testing::Values(&file_bench));
namespace enclave::cloud {

/// A place to try a store in: a fresh, empty, versioned bucket, gone or forgotten with the object.
class Bench {
 public:
  virtual ~Bench() = default;
  virtual ObjectStore& store() = 0;
  /// A store whose bucket does not exist.
  virtual std::unique_ptr<ObjectStore> absent_bucket() = 0;
  /// True when keys are paths, so that some keys are refused, and a key excludes the longer ones below it.
  virtual bool keys_are_paths() const { return false; }
};
using MakeBench = std::function<std::unique_ptr<Bench>()>;

class ObjectStoreContract : public ::testing::TestWithParam<std::unique_ptr<Bench> (*)()> {
 protected:
  static constexpr std::uint64_t kMost = 16 << 20;

  void SetUp() override { bench_ = GetParam()(); }
  ObjectStore& store() { return bench_->store(); }

  std::string must_put(const std::string& key, std::string_view bytes) {
    auto version = store().put(key, bytes);
    EXPECT_TRUE(version) << version.error().text();
    return version.value_or("");
  }
  std::string must_get(const std::string& key, const std::string& version = "") {
    auto bytes = store().get(key, version, kMost);
    EXPECT_TRUE(bytes) << bytes.error().text();
    return bytes.value_or("(error)");
  }
  Fault fault_of_get(const std::string& key, const std::string& version = "") {
    const auto bytes = store().get(key, version, kMost);
    EXPECT_FALSE(bytes) << key;
    return bytes ? Fault::unsupported : bytes.error().fault();
  }
  std::vector<ObjectInfo> listed(const Listing& listing = {}) {
    std::vector<ObjectInfo> all;
    const auto done = store().list(listing, [&](const ObjectInfo& found) -> Result<void> {
      all.push_back(found);
      return {};
    });
    EXPECT_TRUE(done) << done.error().text();
    return all;
  }
  std::vector<std::string> keys(const std::string& prefix = "") {
    std::vector<std::string> all;
    for (const auto& found : listed({.prefix = prefix})) all.push_back(found.key);
    return all;
  }

  std::unique_ptr<Bench> bench_;
};

TEST_P(ObjectStoreContract, WhatIsPutIsReadBackToTheByte) {
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte.push_back(static_cast<char>(i));
  std::string large;
  std::mt19937_64 random(7);
  while (large.size() < 3 << 20) large.push_back(static_cast<char>(random()));
  for (const auto& bytes : {std::string(), every_byte, large}) {
    const std::string version = must_put("object", bytes);
    EXPECT_EQ(must_get("object"), bytes);
    EXPECT_EQ(must_get("object", version), bytes);
    const auto info = store().head("object", "");
    ASSERT_TRUE(info) << info.error().text();
    EXPECT_EQ(info->bytes, bytes.size());
    EXPECT_EQ(info->version, version);
    EXPECT_GT(info->modified_ns, 1'500'000'000'000'000'000);
  }
}

TEST_P(ObjectStoreContract, WhatIsNotThereIsAbsent) {
  EXPECT_EQ(fault_of_get("nothing"), Fault::absent);
  EXPECT_EQ(store().head("nothing", "").error().fault(), Fault::absent);
  EXPECT_TRUE(store().remove("nothing", ""));
  const std::string gone = must_put("object", "1");
  must_put("object", "2");
  ASSERT_TRUE(store().remove("object", gone));
  EXPECT_EQ(fault_of_get("object", gone), Fault::absent);
  EXPECT_EQ(store().head("object", gone).error().fault(), Fault::absent);
  EXPECT_TRUE(store().remove("object", gone));
  EXPECT_EQ(must_get("object"), "2");
}

TEST_P(ObjectStoreContract, AnAnswerLargerThanAllowedIsALimitAndNotAPart) {
  must_put("object", std::string(1000, 'x'));
  EXPECT_EQ(store().get("object", "", 999).error().fault(), Fault::limit);
  EXPECT_EQ(store().get("object", "", 1000).value().size(), 1000U);
  EXPECT_EQ(store().get("object", "", 0).error().fault(), Fault::limit);
}

TEST_P(ObjectStoreContract, ReplacingKeepsTheOldVersionsReadable) {
  std::vector<std::string> versions;
  for (const char* bytes : {"one", "two", "three"}) versions.push_back(must_put("dir/object", bytes));
  EXPECT_EQ(must_get("dir/object"), "three");
  EXPECT_EQ(must_get("dir/object", versions[0]), "one");
  EXPECT_EQ(must_get("dir/object", versions[1]), "two");
  EXPECT_EQ(must_get("dir/object", versions[2]), "three");
  EXPECT_EQ(listed().size(), 1U);
  const auto all = listed({.prefix = "dir/", .versions = true});
  ASSERT_EQ(all.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(all[i].key, "dir/object");
    EXPECT_EQ(all[i].version, versions[2 - i]) << "the latest comes first";
    EXPECT_EQ(all[i].latest, i == 0);
    EXPECT_FALSE(all[i].delete_marker);
  }
}

TEST_P(ObjectStoreContract, PutIfAbsentNeverReplaces) {
  const auto first = store().put_if_absent("a/b", "first");
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_EQ(must_get("a/b", *first), "first");
  for (const char* bytes : {"second", "first"}) {
    const auto again = store().put_if_absent("a/b", bytes);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().fault(), Fault::conflict) << again.error().text();
  }
  EXPECT_EQ(must_get("a/b"), "first");
  EXPECT_EQ(listed({.prefix = "", .versions = true}).size(), 1U);
  must_put("c", "was put");
  EXPECT_EQ(store().put_if_absent("c", "x").error().fault(), Fault::conflict);
}

TEST_P(ObjectStoreContract, PutIfAbsentSucceedsAgainOnceTheKeyIsDeleted) {
  ASSERT_TRUE(store().put_if_absent("a", "first"));
  ASSERT_TRUE(store().remove("a", ""));
  const auto again = store().put_if_absent("a", "second");
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(must_get("a"), "second");
}

TEST_P(ObjectStoreContract, OfTwoThatPutIfAbsentOneWins) {
  constexpr std::size_t kKeys = 20;
  std::array<std::vector<bool>, 2> won;
  std::atomic<int> unexpected{0};
  std::array<std::thread, 2> writers;
  for (std::size_t me = 0; me < 2; ++me)
    writers[me] = std::thread([&, me] {
      for (std::size_t i = 0; i < kKeys; ++i) {
        const auto put = store().put_if_absent("race/" + std::to_string(i), "writer " + std::to_string(me));
        won[me].push_back(put.has_value());
        if (!put && put.error().fault() != Fault::conflict) {
          ++unexpected;
          ADD_FAILURE() << put.error().text();
        }
      }
    });
  for (auto& writer : writers) writer.join();
  ASSERT_EQ(unexpected.load(), 0);
  for (std::size_t i = 0; i < kKeys; ++i) {
    EXPECT_NE(won[0][i], won[1][i]) << "key " << i;
    EXPECT_EQ(must_get("race/" + std::to_string(i)), won[0][i] ? "writer 0" : "writer 1");
  }
}

TEST_P(ObjectStoreContract, AReaderSeesWholeObjectsWhileTheyAreReplaced) {
  must_put("object", std::string(100'000, 'a'));
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 1; i <= 30; ++i) must_put("object", std::string(100'000, static_cast<char>('a' + i % 26)));
    done = true;
  });
  int torn = 0;
  do {
    const std::string bytes = must_get("object");
    if (bytes.size() != 100'000 || bytes.find_first_not_of(bytes[0]) != std::string::npos) ++torn;
  } while (!done);
  writer.join();
  EXPECT_EQ(torn, 0);
}

TEST_P(ObjectStoreContract, ListsInByteOrderOfTheKeys) {
  const std::vector<std::string> sorted = {"A",  "a-b", "a.b", "a/b",      "a/c/d",
                                           "a0", "ab",  "b",   "\xc3\xa9", "\xf0\x9f\x98\x80"};
  for (auto key = sorted.rbegin(); key != sorted.rend(); ++key) must_put(*key, *key);
  EXPECT_EQ(keys(), sorted);
  EXPECT_THAT(keys("a"), ::testing::ElementsAre("a-b", "a.b", "a/b", "a/c/d", "a0", "ab"));
  EXPECT_THAT(keys("a/"), ::testing::ElementsAre("a/b", "a/c/d"));
  EXPECT_THAT(keys("a/c/d"), ::testing::ElementsAre("a/c/d"));
  EXPECT_THAT(keys("a/c/d/"), ::testing::IsEmpty());
  EXPECT_THAT(keys("zz"), ::testing::IsEmpty());
}

TEST_P(ObjectStoreContract, ALongListComesWholeAndOnce) {
  std::vector<std::string> expected;
  for (int i = 0; i < 60; ++i) expected.push_back("list/" + std::to_string(1000 + i));
  for (const auto& key : expected) must_put(key, "1");
  EXPECT_EQ(keys("list/"), expected);
  for (std::size_t i = 0; i < 60; i += 3) must_put(expected[i], "2");
  ASSERT_TRUE(store().remove(expected[30], ""));
  const auto all = listed({.prefix = "list/", .versions = true});
  EXPECT_EQ(all.size(), 60U + 20U + 1U);
  std::size_t latest = 0;
  for (const auto& found : all) latest += found.latest ? 1 : 0;
  EXPECT_EQ(latest, 60U);
  EXPECT_EQ(keys("list/").size(), 59U);
}

TEST_P(ObjectStoreContract, TheVisitorCanEndAList) {
  for (int i = 0; i < 20; ++i) must_put("k" + std::to_string(i), "");
  int seen = 0;
  const auto done = store().list({}, [&](const ObjectInfo&) -> Result<void> {
    if (++seen == 3) return Error{Fault::invalid, "enough"};
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().text(), "enough");
  EXPECT_EQ(seen, 3);
}

TEST_P(ObjectStoreContract, DeletingHidesAndKeepsTheVersions) {
  const std::string one = must_put("d/object", "one");
  const std::string two = must_put("d/object", "two");
  ASSERT_TRUE(store().remove("d/object", ""));
  EXPECT_EQ(fault_of_get("d/object"), Fault::absent);
  EXPECT_THAT(keys(), ::testing::IsEmpty());
  EXPECT_EQ(must_get("d/object", one), "one");
  EXPECT_EQ(must_get("d/object", two), "two");
  const auto all = listed({.prefix = "", .versions = true});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_TRUE(all[0].delete_marker && all[0].latest);
  EXPECT_FALSE(all[1].delete_marker || all[1].latest);
  EXPECT_EQ(all[1].version, two);
  EXPECT_EQ(all[2].version, one);
  EXPECT_EQ(fault_of_get("d/object", all[0].version), Fault::absent) << "a marker has no bytes";
  // The marker goes, and the object is back under its old version.
  ASSERT_TRUE(store().remove("d/object", all[0].version));
  EXPECT_EQ(must_get("d/object"), "two");
  EXPECT_EQ(store().head("d/object", "").value().version, two);
}

TEST_P(ObjectStoreContract, AVersionCanBeRemovedAndTheOthersKeepTheirNames) {
  for (const bool oldest_first : {true, false}) {
    const std::string key = oldest_first ? "oldest" : "newest";
    std::vector<std::string> versions;
    for (int i = 0; i < 5; ++i) versions.push_back(must_put(key, std::to_string(i)));
    for (std::size_t removed = 0; removed < 5; ++removed) {
      ASSERT_TRUE(store().remove(key, versions[oldest_first ? removed : 4 - removed]));
      const auto rest = listed({.prefix = key, .versions = true});
      ASSERT_EQ(rest.size(), 4 - removed);
      for (std::size_t i = 0; i < rest.size(); ++i) {
        const std::size_t index = oldest_first ? 4 - i : 3 - removed - i;
        EXPECT_EQ(rest[i].version, versions[index]);
        EXPECT_EQ(must_get(key, versions[index]), std::to_string(index));
      }
      if (rest.empty()) continue;
      EXPECT_EQ(must_get(key), std::to_string(oldest_first ? 4 : 3 - removed));
    }
    EXPECT_EQ(fault_of_get(key), Fault::absent);
  }
}

TEST_P(ObjectStoreContract, AVersionInTheMiddleCanBeRemoved) {
  std::vector<std::string> versions;
  for (int i = 0; i < 4; ++i) versions.push_back(must_put("k", std::to_string(i)));
  ASSERT_TRUE(store().remove("k", versions[2]));
  EXPECT_EQ(must_get("k", versions[3]), "3");
  EXPECT_EQ(must_get("k"), "3");
  ASSERT_TRUE(store().remove("k", versions[3]));
  EXPECT_EQ(must_get("k"), "1");
  EXPECT_EQ(must_get("k", versions[1]), "1");
  const std::string last = must_put("k", "4");
  EXPECT_EQ(must_get("k", last), "4");
  EXPECT_EQ(must_get("k", versions[1]), "1");
  EXPECT_EQ(listed({.prefix = "", .versions = true}).size(), 3U);
}

TEST_P(ObjectStoreContract, OddKeysComeBackAsTheyWere) {
  std::vector<std::string> odd = {"with space",
                                  "plus+and%percent%20",
                                  "quote\"'<&>;",
                                  "tab\tline\nend",
                                  "q?x=1&y=2#z",
                                  "\xc3\xbc\xe2\x82\xac/\xf0\x9f\x98\x80",
                                  "back\\slash",
                                  "trail ",
                                  "*~!()[]{}|^`",
                                  "-dash",
                                  "deep/" + std::string(250, 'x') + "/y",
                                  "e/./f",
                                  "e/../g",
                                  "h//i",
                                  ".hidden",
                                  std::string(1024, 'k')};
  std::vector<std::string> stored;
  for (const auto& key : odd) {
    const auto put = store().put(key, key);
    const bool path = key.find("/.") == std::string::npos && key.find("//") == std::string::npos && key[0] != '.' &&
                      key.size() < 1000;
    if (bench_->keys_are_paths() && !path) {
      ASSERT_FALSE(put) << key;
      EXPECT_EQ(put.error().fault(), Fault::invalid) << put.error().text();
      continue;
    }
    ASSERT_TRUE(put) << put.error().text();
    EXPECT_EQ(must_get(key), key);
    EXPECT_EQ(store().head(key, "").value().bytes, key.size());
    stored.push_back(key);
  }
  std::sort(stored.begin(), stored.end());
  EXPECT_EQ(keys(), stored);
  for (const auto& key : stored) EXPECT_THAT(keys(key), ::testing::Contains(key)) << "as a prefix of itself";
  std::vector<std::string> versioned;
  for (const auto& found : listed({.prefix = "", .versions = true})) versioned.push_back(found.key);
  EXPECT_EQ(versioned, stored);
  for (const auto& key : stored) EXPECT_TRUE(store().remove(key, "")) << key;
  EXPECT_THAT(keys(), ::testing::IsEmpty());
}

TEST_P(ObjectStoreContract, KeysThatNoStoreTakesAreInvalid) {
  for (const std::string& key :
       {std::string(), std::string(1025, 'k'), std::string("a\0b", 3), std::string("not\xff utf-8")}) {
    EXPECT_EQ(store().put(key, "x").error().fault(), Fault::invalid);
    EXPECT_EQ(store().put_if_absent(key, "x").error().fault(), Fault::invalid);
    EXPECT_EQ(store().get(key, "", kMost).error().fault(), Fault::invalid);
    EXPECT_EQ(store().head(key, "").error().fault(), Fault::invalid);
    EXPECT_EQ(store().remove(key, "").error().fault(), Fault::invalid);
  }
}

TEST_P(ObjectStoreContract, AnAbsentBucketIsAbsent) {
  const auto absent = bench_->absent_bucket();
  EXPECT_EQ(absent->get("key", "", kMost).error().fault(), Fault::absent);
  EXPECT_EQ(absent->head("key", "").error().fault(), Fault::absent);
  const auto visit = [](const ObjectInfo&) -> Result<void> { return {}; };
  for (const bool versions : {false, true}) {
    const auto done = absent->list({.prefix = "", .versions = versions}, visit);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().fault(), Fault::absent) << done.error().text();
  }
}

TEST_P(ObjectStoreContract, TheVerifierReadsItAsALog) {
  const std::string old_version = must_put("v1/x/checkpoint", "old");
  must_put("v1/x/checkpoint", "new");
  must_put("v1/x/tile/0/000", "t");
  must_put("v1/y", "other");
  must_put("v1/x/gone", "gone");
  ASSERT_TRUE(store().remove("v1/x/gone", ""));
  const auto source = bucket_source(store());
  std::vector<std::string> seen;
  ASSERT_TRUE(source->list("v1/x/", [&](const archive::LogSource::Entry& entry) -> Result<void> {
    seen.push_back(fmt::format("{} {} {}", entry.key, entry.bytes, entry.latest));
    return {};
  }));
  EXPECT_THAT(seen, ::testing::ElementsAre("v1/x/checkpoint 3 true", "v1/x/checkpoint 3 false", "v1/x/gone 4 false",
                                           "v1/x/tile/0/000 1 true"));
  EXPECT_EQ(source->get("v1/x/checkpoint", old_version, kMost).value(), "old");
  EXPECT_EQ(source->get("v1/x/missing", "", kMost).error().fault(), Fault::absent);
  EXPECT_EQ(source->name(), store().name());
}

}  // namespace enclave::cloud
