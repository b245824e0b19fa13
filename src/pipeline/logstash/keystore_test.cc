#include "pipeline/logstash/keystore.h"

#include <gmock/gmock.h>

#include <fstream>

namespace enclave::pipeline::logstash {
namespace {

using ::testing::HasSubstr;

std::string sample(const std::string& name) {
  std::ifstream in(std::string(ENCLAVE_SOURCE_DIR "/tests/samples/keystores/") + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(LogstashKeystore, OpensByItsPasswordOrByTheOneThatIsKeptBehindIt) {
  EXPECT_EQ(keystore_value(sample("java17.p12"), "changeit", "es_pwd").value().reveal(), "secret value");
  EXPECT_EQ(keystore_value(sample("java8.p12"), "changeit", "ES_PWD").value().reveal(), "wäöü");
  EXPECT_EQ(keystore_value(sample("kept.p12"), std::nullopt, "es_pwd").value().reveal(), "secret value");
}

TEST(LogstashKeystore, SaysWhatToDoWhenItCannotBeOpened) {
  const auto said = [](const std::string& file, const std::optional<std::string>& password) {
    return keystore_value(sample(file), password, "es_pwd").error().text();
  };
  EXPECT_THAT(said("java17.p12", std::nullopt), HasSubstr("set LOGSTASH_KEYSTORE_PASS to it"));
  EXPECT_THAT(said("java17.p12", "wrong"), HasSubstr("LOGSTASH_KEYSTORE_PASS is not its password"));
  EXPECT_THAT(said("java17.p12", ""), HasSubstr("LOGSTASH_KEYSTORE_PASS is empty"));
  EXPECT_THAT(said("filebeat.keystore", "x"), HasSubstr("no PKCS #12 store"));
}

TEST(LogstashKeystore, ANameThatItDoesNotHoldIsAbsent) {
  EXPECT_EQ(keystore_value(sample("java17.p12"), "changeit", "nothing").error().fault(), Fault::absent);
}

}  // namespace
}  // namespace enclave::pipeline::logstash
