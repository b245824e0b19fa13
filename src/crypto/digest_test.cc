#include "crypto/digest.h"

#include <gtest/gtest.h>

#include <string>

#include "base/encoding.h"

namespace enclave::crypto {
namespace {

std::string hex_of(std::string_view bytes) { return to_hex(bytes_of(sha256(bytes))); }

// FIPS 180-4 examples (NIST, "Examples with Intermediate Values") and the empty string.
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(hex_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex_of(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, IsTheSameInPieces) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) bytes.push_back(static_cast<char>(i * 7));
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    Sha256 hash;
    hash.update(std::string_view(bytes).substr(0, cut));
    hash.update(std::string_view(bytes).substr(cut));
    EXPECT_EQ(hash.finish(), sha256(bytes)) << cut;
  }
}

TEST(Sha256, ACopyGoesOnFromTheSameState) {
  Sha256 hash;
  hash.update("one");
  Sha256 copy = hash;
  hash.update("two");
  copy.update("three");
  EXPECT_EQ(hash.finish(), sha256("onetwo"));
  EXPECT_EQ(copy.finish(), sha256("onethree"));
}

}  // namespace
}  // namespace enclave::crypto
