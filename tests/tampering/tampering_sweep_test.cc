#include <gmock/gmock.h>

#include <cstdlib>

#include "sealed_log.h"

namespace enclave::tampering {
namespace {

using testing::IsEmpty;
using testing::Not;

/// One bit at a random place of a random file, then all put back. Files are drawn evenly, so that a small checkpoint is
/// hit as often as a large object.
TEST(TamperingSweep, OneFlippedBitAnywhereIsAViolationThatNamesItsKey) {
  const char* given = std::getenv("ENCLAVE_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20261123;
  std::mt19937_64 random(seed);
  const Copy copy(sealed_log().host->bucket());
  const auto files = copy.files();
  ASSERT_EQ(copy.verify().exit_status(), 0);
  for (int round = 0; round < 300; ++round) {
    const auto& file = files[random() % files.size()];
    const std::string original = Copy::read(file);
    if (original.empty()) continue;
    const std::uint64_t offset = random() % original.size();
    const auto mask = static_cast<unsigned char>(1U << random() % 8);
    Copy::flip(file, offset, mask);
    const auto report = copy.verify();
    const std::string where = fmt::format("ENCLAVE_SEED={} round {}: {} byte {} mask {}", seed, round,
                                          std::filesystem::relative(file, copy.path()).string(), offset, mask);
    EXPECT_EQ(report.exit_status(), 3) << where;
    std::string key = std::filesystem::relative(file, copy.path()).string();
    if (key.starts_with(".enclave-versions/")) key = key.substr(18, key.rfind('/') - 18);
    bool named = false;
    for (const auto& finding : report.logs.at(0).findings)
      named = named || (finding.weight == archive::Weight::violated && finding.key == key);
    EXPECT_TRUE(named) << where << " found " << testing::PrintToString(violations(report));
    Copy::write(file, original);
  }
  EXPECT_EQ(copy.verify().exit_status(), 0);
}

TEST(TamperingSweep, EveryFileThatIsMissingIsAViolationOrAnOlderCopy) {
  const Copy copy(sealed_log().host->bucket());
  for (const auto& file : copy.files()) {
    const std::string key = std::filesystem::relative(file, copy.path()).string();
    const std::string original = Copy::read(file);
    std::filesystem::remove(file);
    const auto report = copy.verify();
    // A partial tile that a wider one has replaced may go, and so may older versions.
    const bool replaceable = key.find(".p/") != std::string::npos || key.starts_with(".enclave-versions/");
    if (report.exit_status() == 0) {
      EXPECT_TRUE(replaceable) << key;
    } else {
      EXPECT_EQ(report.exit_status(), 3) << key;
      EXPECT_THAT(violations(report), Not(IsEmpty())) << key;
    }
    Copy::write(file, original);
  }
}

TEST(TamperingSweep, AFileCutShortAnywhereIsAViolation) {
  std::mt19937_64 random(7);
  const Copy copy(sealed_log().host->bucket());
  for (const auto& file : copy.files()) {
    const std::string original = Copy::read(file);
    if (original.empty()) continue;
    Copy::write(file, original.substr(0, random() % original.size()));
    EXPECT_EQ(copy.verify().exit_status(), 3) << file;
    Copy::write(file, original);
  }
}

}  // namespace
}  // namespace enclave::tampering
