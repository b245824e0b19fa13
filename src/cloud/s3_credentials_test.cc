#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "base/files.h"
#include "cloud/s3_store.h"
#include "io/system.h"

namespace enclave::cloud {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kFile =
    "# keys\r\n"
    "[default]\r\n"
    "aws_access_key_id = AK1\r\n"
    "aws_secret_access_key=SK/1+=\r\n"
    "\n"
    "; another\n"
    "[profile  logs ]\n"
    "  aws_access_key_id=AK2\n"
    "aws_secret_access_key = SK2\n"
    "aws_session_token = TOK==\n"
    "region = somewhere\n";

TEST(S3Credentials, AreReadFromTheFileOfTheAwsTools) {
  const auto first = parse_credentials(kFile, "default", "f").value();
  EXPECT_EQ(first.access_key, "AK1");
  EXPECT_EQ(first.secret_key.reveal(), "SK/1+=");
  EXPECT_TRUE(first.session_token.empty());
  const auto second = parse_credentials(kFile, "logs", "f").value();
  EXPECT_EQ(second.access_key, "AK2");
  EXPECT_EQ(second.session_token.reveal(), "TOK==");
}

TEST(S3Credentials, AMistakeIsNamedWithoutTheSecret) {
  EXPECT_THAT(parse_credentials(kFile, "data", "f").error().text(), HasSubstr("no section [data]"));
  EXPECT_THAT(parse_credentials("[default]\n", "default", "f").error().text(), HasSubstr("no aws_access_key_id"));
  const auto missing = parse_credentials("[default]\naws_access_key_id=a\n", "default", "f");
  EXPECT_THAT(missing.error().text(), HasSubstr("no aws_secret_access_key"));
  const auto broken = parse_credentials("[default]\naws_secret_access_key SECRET\n", "default", "f");
  EXPECT_THAT(broken.error().text(), HasSubstr("f:2: write NAME = VALUE"));
  EXPECT_THAT(broken.error().text(), Not(HasSubstr("SECRET")));
  EXPECT_FALSE(parse_credentials("[default\n", "default", "f"));
  EXPECT_FALSE(parse_credentials("", "default", "f"));
}

TEST(S3Credentials, AFileThatOthersCanReadIsRefused) {
  std::string path = (std::filesystem::temp_directory_path() / "enclave-keys-XXXXXX").string();
  const int fd = ::mkstemp(path.data());
  ASSERT_GE(fd, 0);
  ASSERT_EQ(::write(fd, kFile.data(), kFile.size()), static_cast<ssize_t>(kFile.size()));
  ::close(fd);
  EXPECT_EQ(read_credentials(io::real_files(), path, "logs").value().access_key, "AK2");
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  const auto open_to_all = read_credentials(io::real_files(), path);
  EXPECT_EQ(open_to_all.error().fault(), Fault::denied);
  EXPECT_THAT(open_to_all.error().text(), HasSubstr("chmod 600"));
  ::unlink(path.c_str());
  EXPECT_EQ(read_credentials(io::real_files(), path).error().fault(), Fault::absent);
}

class FoundCredentials : public ::testing::Test {
 protected:
  FoundCredentials() {
    std::filesystem::create_directories(home_ + "/.aws");
    EXPECT_TRUE(replace_file(io::real_files(), home_ + "/.aws/credentials", kFile));
    EXPECT_TRUE(replace_file(io::real_files(), home_ + "/keys", kFile));
  }
  ~FoundCredentials() override { std::filesystem::remove_all(home_); }
  Result<S3Credentials> found(std::string_view where, std::map<std::string, std::string, std::less<>> variables) {
    variables.emplace("HOME", home_);
    return find_credentials(io::real_files(), where, [&](std::string_view name) -> std::optional<std::string> {
      const auto one = variables.find(name);
      return one == variables.end() ? std::nullopt : std::optional(one->second);
    });
  }
  const std::string home_ =
      fmt::format("{}/enclave-credentials-{}", std::filesystem::temp_directory_path().string(), ::getpid());
};

TEST_F(FoundCredentials, AreTakenFromWhereTheConfigurationSays) {
  const auto direct =
      found("env", {{"AWS_ACCESS_KEY_ID", "AK"}, {"AWS_SECRET_ACCESS_KEY", "SK"}, {"AWS_PROFILE", "x"}});
  ASSERT_TRUE(direct) << direct.error().text();
  EXPECT_EQ(direct->access_key, "AK");
  EXPECT_EQ(found("env", {{"AWS_PROFILE", "logs"}})->access_key, "AK2");
  EXPECT_EQ(found("env", {{"AWS_SHARED_CREDENTIALS_FILE", home_ + "/keys"}})->access_key, "AK1");
  EXPECT_EQ(found("profile:logs", {})->session_token.reveal(), "TOK==");
  EXPECT_EQ(found("file:" + home_ + "/keys", {})->access_key, "AK1");
}

TEST_F(FoundCredentials, WhatIsMissingIsNamedAndWhatStandsThereIsNot) {
  EXPECT_THAT(found("env", {}).error().text(), HasSubstr("AWS_ACCESS_KEY_ID"));
  EXPECT_THAT(found("env", {{"AWS_ACCESS_KEY_ID", "AK"}}).error().text(), HasSubstr("set both"));
  EXPECT_THAT(found("profile:none", {}).error().text(), HasSubstr("[none]"));
  EXPECT_THAT(found("wJalrXUtn", {}).error().text(), Not(HasSubstr("wJalrXUtn")));
  ::chmod((home_ + "/keys").c_str(), 0644);
  EXPECT_EQ(found("file:" + home_ + "/keys", {}).error().fault(), Fault::denied);
}

}  // namespace
}  // namespace enclave::cloud
