#include "base/crc.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace enclave {
namespace {

// RFC 3720 appendix B.4.
TEST(Crc32c, GivesThePublishedValues) {
  std::string up(32, '\0');
  for (std::size_t i = 0; i < up.size(); ++i) up[i] = static_cast<char>(i);
  const std::string down(up.rbegin(), up.rend());
  for (const auto crc : {crc32c, crc32c_portable}) {
    EXPECT_EQ(crc("", 0), 0U);
    EXPECT_EQ(crc("123456789", 0), 0xe3069283U);
    EXPECT_EQ(crc(std::string(32, '\0'), 0), 0x8a9136aaU);
    EXPECT_EQ(crc(std::string(32, '\xff'), 0), 0x62a8ab43U);
    EXPECT_EQ(crc(up, 0), 0x46dd794eU);
    EXPECT_EQ(crc(down, 0), 0x113fdb5cU);
  }
}

TEST(Crc32c, IsTheSameInPiecesAndWithoutTheInstruction) {
  const unsigned seed = 7;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    std::string bytes(random() % 200, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    const std::size_t cut = random() % (bytes.size() + 1);
    const std::string_view all = bytes;
    const std::uint32_t whole = crc32c(all);
    EXPECT_EQ(crc32c(all.substr(cut), crc32c(all.substr(0, cut))), whole);
    EXPECT_EQ(crc32c_portable(all.substr(cut), crc32c_portable(all.substr(0, cut))), whole);
  }
}

}  // namespace
}  // namespace enclave
