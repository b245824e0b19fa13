#include "crypto/sha256_many.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace enclave::crypto {
namespace {

std::vector<Digest> expected_of(std::uint8_t prefix, const std::vector<std::string>& messages) {
  std::vector<Digest> digests;
  for (const auto& message : messages) digests.push_back(sha256(std::string(1, static_cast<char>(prefix)) + message));
  return digests;
}

void expect_same(std::uint8_t prefix, const std::vector<std::string>& messages, const std::string& what) {
  const std::vector<std::string_view> views(messages.begin(), messages.end());
  std::vector<Digest> digests(views.size());
  sha256_many(prefix, views, digests);
  ASSERT_EQ(digests, expected_of(prefix, messages)) << what;
}

TEST(Sha256Many, AgreesWithOpensslForEveryLengthAroundTheBlocks) {
  for (std::size_t size = 0; size < 300; ++size)
    expect_same(
        static_cast<std::uint8_t>(size),
        {std::string(size, 'a'), std::string(299 - size, 'b'), std::string(size / 2, 'c'), std::string(size, '\xff')},
        std::to_string(size));
}

TEST(Sha256Many, AgreesWithOpensslForAnyMixtureOfLengths) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::string> messages(random() % 20);
    for (auto& message : messages) {
      message.resize(random() % (seed % 5 == 0 ? 5000 : 200));
      for (char& c : message) c = static_cast<char>(random());
    }
    expect_same(static_cast<std::uint8_t>(random()), messages, "seed " + std::to_string(seed));
  }
}

TEST(Sha256Many, TakesNoneAndOne) {
  expect_same(1, {}, "none");
  expect_same(1, {"x"}, "one");
}

}  // namespace
}  // namespace enclave::crypto
