#include "crypto/named_digest.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace enclave::crypto {
namespace {

TEST(NamedDigest, GivesThePublishedDigestsOfAbc) {
  EXPECT_EQ(to_hex(digest_of(DigestName::md5, "abc").value()), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(to_hex(digest_of(DigestName::sha1, "abc").value()), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(to_hex(digest_of(DigestName::sha256, "abc").value()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_of(DigestName::sha384, "abc").value().size(), 48U);
  EXPECT_EQ(digest_of(DigestName::sha512, "abc").value().size(), 64U);
}

TEST(NamedDigest, GivesTheHmacsOfRfc2202AndRfc4231) {
  EXPECT_EQ(to_hex(hmac_of(DigestName::md5, "Jefe", "what do ya want for nothing?").value()),
            "750c783e6ab0b503eaa86e310a5db738");
  EXPECT_EQ(to_hex(hmac_of(DigestName::sha1, "Jefe", "what do ya want for nothing?").value()),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(to_hex(hmac_of(DigestName::sha256, "Jefe", "what do ya want for nothing?").value()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

}  // namespace
}  // namespace enclave::crypto
