#include "pipeline/filebeat/keystore.h"

#include <gtest/gtest.h>

#include <fstream>

namespace enclave::pipeline::filebeat {
namespace {

std::string sample(const std::string& name) {
  std::ifstream in(std::string(ENCLAVE_SOURCE_DIR "/tests/samples/keystores/") + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(FilebeatKeystore, HoldsWhatWasPutIntoIt) {
  const auto secrets = read_keystore(sample("filebeat.keystore"));
  ASSERT_TRUE(secrets) << secrets.error().text();
  ASSERT_EQ(secrets->size(), 2U);
  EXPECT_EQ(secrets->find("ES_PWD")->second.reveal(), "from the keystore");
  EXPECT_EQ(secrets->find("HOST")->second.reveal(), "a");
}

TEST(FilebeatKeystore, OtherVersionsAndDamagedOnesAreRefused) {
  std::string bytes = sample("filebeat.keystore");
  EXPECT_EQ(read_keystore("v2" + bytes.substr(2)).error().fault(), Fault::unsupported);
  EXPECT_EQ(read_keystore("").error().fault(), Fault::unsupported);
  EXPECT_EQ(read_keystore("v1").error().fault(), Fault::corrupt);
  EXPECT_EQ(read_keystore("v1!!!!").error().fault(), Fault::corrupt);
  EXPECT_EQ(read_keystore(bytes.substr(0, 102)).error().fault(), Fault::corrupt);
  bytes[bytes.size() / 2] = bytes[bytes.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_EQ(read_keystore(bytes).error().fault(), Fault::corrupt);
}

TEST(FilebeatKeystore, ItsPlaceStandsInTheConfiguration) {
  EXPECT_EQ(keystore_path_of("keystore.path: /k"), "/k");
  EXPECT_EQ(keystore_path_of("keystore:\n  path: \"${path.data}/k\"\npath.data: /d"), "/d/k");
  EXPECT_EQ(keystore_path_of("path: {data: /d}"), "/d/filebeat.keystore");
  EXPECT_EQ(keystore_path_of("name: x"), "");
  EXPECT_EQ(keystore_path_of("- no\nmap: ["), "");
}

}  // namespace
}  // namespace enclave::pipeline::filebeat
