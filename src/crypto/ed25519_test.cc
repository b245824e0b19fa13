#include "crypto/ed25519.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <type_traits>

#include "base/encoding.h"
#include "crypto/test_random.h"

namespace enclave::crypto {
namespace {

struct Vector {
  const char* seed;
  const char* key;
  const char* message;
  const char* signature;
};

// RFC 8032 section 7.1, tests 1, 2, 3 and SHA(abc).
constexpr Vector kPublished[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
     "d25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
     "387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
     "4a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
     "454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030"
     "3dca179c138ac17ad9bef1177331a704"}};

template <std::size_t Size>
std::array<std::uint8_t, Size> array_of(std::string_view hex) {
  const std::string bytes = from_hex(hex).value();
  std::array<std::uint8_t, Size> array{};
  std::copy(bytes.begin(), bytes.end(), array.begin());
  return array;
}

TEST(Ed25519, GivesThePublishedKeysAndSignatures) {
  for (const auto& v : kPublished) {
    const auto key = Ed25519PrivateKey::from_seed(Secret(from_hex(v.seed).value())).value();
    const std::string message = from_hex(v.message).value();
    EXPECT_EQ(to_hex(bytes_of(key.public_key())), v.key);
    EXPECT_EQ(to_hex(bytes_of(key.sign(message))), v.signature);
    EXPECT_TRUE(verify(array_of<32>(v.key), message, array_of<64>(v.signature)));
  }
}

TEST(Ed25519, RefusesAChangedMessageSignatureOrKey) {
  TestRandom random(11);
  const auto key = Ed25519PrivateKey::generate(random);
  const auto signature = key.sign("message");
  EXPECT_TRUE(verify(key.public_key(), "message", signature));
  EXPECT_FALSE(verify(key.public_key(), "messagf", signature));
  EXPECT_FALSE(verify(Ed25519PrivateKey::generate(random).public_key(), "message", signature));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    auto changed = signature;
    changed[i] ^= 1;
    EXPECT_FALSE(verify(key.public_key(), "message", changed)) << i;
  }
}

// RFC 8032 section 5.1.7: S must be below the group's order, or a signature would have a second form.
TEST(Ed25519, RefusesASecondFormOfASignature) {
  auto signature = array_of<64>(kPublished[1].signature);
  const auto order = array_of<32>("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += static_cast<unsigned>(signature[32 + i]) + order[i];
    signature[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  EXPECT_FALSE(verify(array_of<32>(kPublished[1].key), "\x72", signature));
}

TEST(Ed25519, ASeedHas32Bytes) {
  for (const std::size_t size : {0, 31, 33, 64}) {
    const auto key = Ed25519PrivateKey::from_seed(Secret(std::string(size, 'a')));
    ASSERT_FALSE(key.has_value());
    EXPECT_EQ(key.error().fault(), Fault::invalid);
  }
}

TEST(Secret, IsMovedNotCopiedAndLeavesNothingBehind) {
  static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
  static_assert(!fmt::is_formattable<Secret>::value);
  Secret secret(std::string("short"));  // kept inside the string object: moving it copies the characters
  const char* place = secret.reveal().data();
  const Secret moved = std::move(secret);
  EXPECT_EQ(moved.reveal(), "short");
  EXPECT_EQ(std::string(place, 5), std::string(5, '\0'));
  EXPECT_EQ(moved.clone().reveal(), "short");
}

TEST(Secret, ComparesByAllBytes) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abcd"));
}

}  // namespace
}  // namespace enclave::crypto
