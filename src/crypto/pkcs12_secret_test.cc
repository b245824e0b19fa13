#include "crypto/pkcs12_secret.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/encoding.h"

namespace enclave::crypto {
namespace {

constexpr std::string_view kName = "urn:logstash:secret:v1:es_pwd";

std::string sample(const std::string& name) {
  std::ifstream in(std::string(ENCLAVE_SOURCE_DIR "/tests/samples/keystores/") + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string secret_of(const std::string& file, const std::string& password, std::string_view name) {
  const auto found = pkcs12_secret(sample(file), Secret(password), name);
  return found ? std::string(found->reveal()) : std::string(name_of(found.error().fault()));
}

TEST(Pkcs12Secret, IsReadFromStoresOfNewAndOfOldJava) {
  EXPECT_EQ(secret_of("java17.p12", "changeit", kName), to_base64("secret value"));
  EXPECT_EQ(secret_of("java8.p12", "changeit", kName), to_base64("wäöü"));
  EXPECT_EQ(secret_of("java8.p12", "changeit", "URN:logstash:secret:v1:ES_PWD"), to_base64("wäöü"));
}

TEST(Pkcs12Secret, SaysWhyThereIsNone) {
  EXPECT_EQ(secret_of("java17.p12", "changeit", "other"), "absent");
  EXPECT_EQ(secret_of("java17.p12", "wrong", kName), "denied");
  EXPECT_EQ(secret_of("java8.p12", "", kName), "denied");
  EXPECT_EQ(secret_of("filebeat.keystore", "changeit", kName), "corrupt");
  EXPECT_EQ(pkcs12_secret("", Secret("x"), kName).error().fault(), Fault::corrupt);
}

TEST(Pkcs12Secret, AFileCannotMakeItDeriveKeysForHours) {
  const auto found = pkcs12_secret(sample("java17.p12"), Secret("changeit"), kName, 9'999);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().fault(), Fault::limit);
}

TEST(Pkcs12Secret, AnyChangedByteIsNoticed) {
  const std::string store = sample("java17.p12");
  for (std::size_t at = 0; at < store.size(); at += 7) {
    std::string changed = store;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    const auto found = pkcs12_secret(changed, Secret("changeit"), kName, 20'000);
    EXPECT_TRUE(!found || found->reveal() == to_base64("secret value")) << "byte " << at;
  }
}

// RFC 7914 has vectors for SHA-256 only; this one is Python's hashlib.pbkdf2_hmac.
TEST(Pbkdf2Sha512, GivesWhatAnotherImplementationGives) {
  EXPECT_EQ(to_hex(pbkdf2_sha512("password", "salt", 2, 16).reveal()), "e1d9c16aa681708a45f5c7c4e215ceb6");
}

}  // namespace
}  // namespace enclave::crypto
