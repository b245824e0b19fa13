#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/encoding.h"
#include "crypto/age.h"
#include "crypto/bech32.h"
#include "crypto/test_random.h"
#include "crypto/x25519.h"

namespace enclave::crypto {
namespace {

using testing::HasSubstr;
using testing::Not;

// The example of the age specification: 32 bytes of 0x42.
constexpr const char* kIdentity = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
constexpr const char* kRecipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

std::string error_of(const auto& result) { return result ? "no error" : result.error().text(); }

TEST(AgeKeys, AreWrittenAsInTheSpecification) {
  const auto identity = AgeIdentity::parse(Secret(kIdentity)).value();
  EXPECT_EQ(identity.text().reveal(), kIdentity);
  EXPECT_EQ(identity.recipient().text(), kRecipient);
  EXPECT_EQ(AgeRecipient::parse(kRecipient).value(), identity.recipient());
}

TEST(AgeKeys, NewOnesDifferAndReadBack) {
  TestRandom random(5);
  const auto one = AgeIdentity::generate(random);
  const auto two = AgeIdentity::generate(random);
  EXPECT_NE(one.recipient(), two.recipient());
  EXPECT_EQ(AgeIdentity::parse(one.text()).value().recipient(), one.recipient());
  EXPECT_EQ(AgeRecipient::parse(one.recipient().text()).value(), one.recipient());
}

TEST(AgeKeys, EveryMistypedCharacterOfARecipientIsFound) {
  const std::string text = kRecipient;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'q' ? 'p' : 'q';
    EXPECT_FALSE(AgeRecipient::parse(changed)) << changed;
    EXPECT_FALSE(AgeRecipient::parse(text.substr(0, i)));
    std::string upper = text;
    if (upper[i] >= 'a') upper[i] = static_cast<char>(upper[i] - 'a' + 'A');
    if (upper == text) continue;
    EXPECT_FALSE(AgeRecipient::parse(upper)) << upper;
  }
  for (const std::string& other : {text + " ", text + "q", " " + text, text + "\n", std::string(), std::string("age1")})
    EXPECT_FALSE(AgeRecipient::parse(other)) << other;
}

TEST(AgeKeys, OneTextForOneKey) {
  EXPECT_FALSE(AgeRecipient::parse("AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ"));
  std::string lower = kIdentity;
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  EXPECT_FALSE(AgeIdentity::parse(Secret(lower)));
  EXPECT_FALSE(AgeRecipient::parse(to_bech32("age", std::string(31, 'a'))));
  EXPECT_FALSE(AgeRecipient::parse(to_bech32("age", std::string(33, 'a'))));
  EXPECT_FALSE(AgeIdentity::parse(Secret(to_bech32("AGE-SECRET-KEY-", std::string(31, 'a')))));
}

// BIP 173: its valid and invalid texts, as far as they concern a known prefix.
TEST(AgeKeys, Bech32IsThatOfItsSpecification) {
  EXPECT_EQ(from_bech32("a", "a12uel5l").value(), "");
  EXPECT_EQ(from_bech32("A", "A12UEL5L").value(), "");
  EXPECT_EQ(to_hex(from_bech32("abcdef", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw").value()),
            "00443214c74254b635cf84653a56d7c675be77df");
  for (const auto* text : {"A1G7SGD8", "a12uel5m", "A12uEL5L", "a1", "10a06t8", "1qzzfhee", "li1dgmt3"})
    EXPECT_FALSE(from_bech32(text[0] == 'A' ? "A" : "a", text)) << text;
  for (int size = 0; size < 70; ++size) {
    const std::string bytes(static_cast<std::size_t>(size), '\xa5');
    EXPECT_EQ(from_bech32("age", to_bech32("age", bytes)).value(), bytes);
  }
}

TEST(AgeKeys, ALowOrderPointIsNoRecipient) {
  for (const auto* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000000",
                            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7"}) {
    const auto parsed = AgeRecipient::parse(to_bech32("age", from_hex(point).value()));
    EXPECT_THAT(error_of(parsed), HasSubstr("low order")) << point;
  }
}

TEST(AgeKeys, ASecretInThePlaceOfARecipientIsNamedButNotRepeated) {
  const auto parsed = AgeRecipient::parse(kIdentity);
  EXPECT_THAT(error_of(parsed), HasSubstr("it is a secret"));
  EXPECT_THAT(error_of(parsed), Not(HasSubstr("GFPYY")));
}

TEST(AgeKeys, AFileOfIdentitiesReadsAsAgeKeygenWritesIt) {
  TestRandom random(6);
  const auto other = AgeIdentity::generate(random);
  const std::string text = fmt::format("# created: 2026-11-23T09:26:33Z\n# public key: {}\n{}\n\n{}\r\n", kRecipient,
                                       kIdentity, other.text().reveal());
  const auto identities = AgeIdentity::parse_file(Secret(text)).value();
  ASSERT_EQ(identities.size(), 2U);
  EXPECT_EQ(identities[0].recipient().text(), kRecipient);
  EXPECT_EQ(identities[1].recipient(), other.recipient());
}

TEST(AgeKeys, AnErrorInAFileNamesTheLineAndNotTheSecret) {
  const std::string identity = kIdentity;
  const auto text_of = [](std::string text) { return error_of(AgeIdentity::parse_file(Secret(std::move(text)))); };
  EXPECT_THAT(text_of("# comment\n\n" + identity.substr(0, 40) + "Q" + identity.substr(41) + "\n"),
              testing::AllOf(HasSubstr("line 3"), HasSubstr("checksum"), Not(HasSubstr("GFPYY"))));
  EXPECT_THAT(text_of(identity + "\n" + kRecipient + "\n"),
              testing::AllOf(HasSubstr("line 2"), HasSubstr("recipient")));
  EXPECT_THAT(text_of(identity + " \n"), HasSubstr("line 1"));
  EXPECT_THAT(text_of("AGE-PLUGIN-YUBIKEY-1XYZ\n"), HasSubstr("line 1: only identities of the form"));
  EXPECT_THAT(text_of("# nothing\n"), HasSubstr("no identity"));
  EXPECT_THAT(text_of(""), HasSubstr("no identity"));
  std::string many;
  for (int i = 0; i < 1025; ++i) many += identity + "\n";
  EXPECT_THAT(text_of(many), HasSubstr("line 1025: more than 1024"));
}

// RFC 7748 sections 5.2 and 6.1.
TEST(X25519, GivesThePublishedSharedSecrets) {
  const auto point = [](std::string_view hex) {
    const std::string bytes = from_hex(hex).value();
    X25519Point result;
    std::copy(bytes.begin(), bytes.end(), result.begin());
    return result;
  };
  const auto secret = [](std::string_view hex) { return Secret(from_hex(hex).value()); };
  EXPECT_EQ(to_hex(x25519(secret("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                          point("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"))
                       ->reveal()),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  const Secret bob = secret("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  EXPECT_EQ(to_hex(bytes_of(x25519_public(bob))), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  EXPECT_EQ(to_hex(x25519(bob, point("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"))->reveal()),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  EXPECT_FALSE(x25519(bob, X25519Point{}).has_value());
}

}  // namespace
}  // namespace enclave::crypto
