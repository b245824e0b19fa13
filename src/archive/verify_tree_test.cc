#include "archive/verify_tree.h"

#include <gmock/gmock.h>

namespace enclave::archive {
namespace {

std::vector<Digest> hashes(std::size_t count, std::string_view salt) {
  std::vector<Digest> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(leaf_hash(fmt::format("{}{}", salt, i)));
  return all;
}

TEST(Reconcile, FindsTheReadingThatHasTheRoot) {
  const auto truth = hashes(11, "true");
  auto a = truth, b = truth;
  EXPECT_EQ(reconcile(a, b, root_of(truth)), truth);
  a[3] = leaf_hash("changed");
  EXPECT_EQ(reconcile(a, b, root_of(truth)), truth);
  EXPECT_EQ(reconcile(b, a, root_of(truth)), truth);
}

TEST(Reconcile, MixesTwoReadingsThatAreBothDamaged) {
  const auto truth = hashes(300, "true");
  auto a = truth, b = truth;
  for (const std::size_t i : {0, 17, 255, 299}) a[i] = leaf_hash("changed");
  for (const std::size_t i : {1, 256, 298}) b[i] = leaf_hash("changed");
  EXPECT_EQ(reconcile(a, b, root_of(truth)), truth);
}

TEST(Reconcile, GivesUpWhereBothAreDamagedAtOnePlaceOrInTooMany) {
  const auto truth = hashes(40, "true");
  auto a = truth, b = truth;
  a[3] = leaf_hash("changed");
  b[3] = leaf_hash("also changed");
  EXPECT_EQ(reconcile(a, b, root_of(truth)), std::nullopt);
  a = b = truth;
  for (std::size_t i = 0; i < 12; ++i) (i % 2 == 0 ? a : b)[i] = leaf_hash("changed");
  EXPECT_EQ(reconcile(a, b, root_of(truth)), std::nullopt);
}

TEST(SplitEntries, GoesAsFarAsTheLengthsFit) {
  const std::vector<std::string> entries = {"one", "", "three"};
  std::string bundle = encode_entries(entries);
  EXPECT_THAT(split_entries(bundle), testing::ElementsAre("one", "", "three"));
  bundle.pop_back();
  EXPECT_THAT(split_entries(bundle), testing::ElementsAre("one", ""));
  EXPECT_THAT(split_entries(std::string_view("\xff", 1)), testing::IsEmpty());
}

}  // namespace
}  // namespace enclave::archive
