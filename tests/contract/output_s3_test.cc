// The S3 output against a bucket in memory behind a real socket.
#include <gmock/gmock.h>
#include <zlib.h>

#include <thread>

#include "contract/scripted_s3.h"
#include "pipeline/deflater.h"
#include "pipeline/output_bench.h"
#include "pipeline/s3_output.h"

namespace enclave::pipeline {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;
using Request = ScriptedServer::Request;

struct S3Bench : OutputBench {
  /// The options that every test has, and more.
  bool begin(const std::string& more) {
    return start("s3 { bucket => 'bucket' access_key_id => 'AK' secret_access_key => 'SK' region => 'r' endpoint => '" +
                 server.url() +
                 "' temporary_directory => 'FOLDER/tmp' additional_settings => { force_path_style => true } " +
                 "codec => line { format => '%{message}' } " + more + " }");
  }
  /// All objects that were put, but for the trial one.
  std::vector<Request> puts() {
    std::vector<Request> all;
    for (const auto& request : server.requests())
      if (request.method == "PUT" && request.target.find("test-object") == std::string::npos) all.push_back(request);
    return all;
  }
  std::vector<Request> wait_for_puts(std::size_t count) {
    for (int i = 0; i < 1000 && puts().size() < count; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return puts();
  }
  void end() {
    packer.reset();
    output.reset();
  }
  /// While it runs, folders and locks do not count.
  std::size_t left(bool running = false) const {
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder + "/tmp"))
      files += !running || (entry.is_regular_file() && entry.path().extension() != ".lock");
    return files;
  }
  cloud::ScriptedS3 s3;
  ScriptedServer server{[this](const Request& request) { return s3(request); }};
};

TEST(S3Output, AFileThatIsLargeEnoughBecomesAnObjectUnderTheOriginalsName) {
  S3Bench bench;
  ASSERT_TRUE(
      bench.begin("size_file => 10 prefix => 'logs/%{host}' tags => ['a', 'b'] canned_acl => 'private' "
                  "storage_class => 'STANDARD_IA' server_side_encryption => true"));
  ASSERT_TRUE(bench.send({R"({"host":"h","message":"12345"})"}));
  EXPECT_EQ(bench.settled(), 1U);
  EXPECT_THAT(bench.puts(), IsEmpty());
  ASSERT_TRUE(bench.send({R"({"host":"h","message":"67890"})"}));
  const auto puts = bench.wait_for_puts(1);
  ASSERT_THAT(puts, SizeIs(1));
  EXPECT_EQ(puts[0].body, "12345\n67890\n");
  EXPECT_THAT(puts[0].target,
              MatchesRegex("/bucket/logs/h/ls\\.s3\\.[0-9a-f-]{36}\\.20..-..-..T..\\...\\.tag_a\\.b\\.part0\\.txt"));
  EXPECT_THAT(puts[0].head, AllOf(HasSubstr("x-amz-acl: private"), HasSubstr("x-amz-storage-class: STANDARD_IA"),
                                  HasSubstr("x-amz-server-side-encryption: AES256")));
  bench.end();
  EXPECT_EQ(bench.left(), 0U);
}

TEST(S3Output, TheEndUploadsWhatIsLeftOfEachPrefix) {
  S3Bench bench;
  ASSERT_TRUE(bench.begin("prefix => '%{host}' encoding => gzip"));
  ASSERT_TRUE(
      bench.send({R"({"host":"a","message":"1"})", R"({"host":"b","message":"2"})", R"({"host":"a","message":"3"})"}));
  EXPECT_EQ(bench.settled(), 1U);
  bench.end();
  const auto puts = bench.puts();
  ASSERT_THAT(puts, SizeIs(2));
  for (const auto& put : puts) {
    EXPECT_THAT(put.head, HasSubstr("content-encoding: gzip"));
    EXPECT_TRUE(put.body.starts_with("\x1f\x8b"));
    EXPECT_TRUE(put.target.ends_with(".txt.gz"));
  }
  EXPECT_EQ(bench.left(), 0U);
}

TEST(S3Output, ABusyServerIsAskedAgainAndNothingIsLost) {
  S3Bench bench;
  ASSERT_TRUE(bench.begin("size_file => 1 validate_credentials_on_root_bucket => false"));
  bench.s3.refuse(3);
  ASSERT_TRUE(bench.send({R"({"message":"1"})"}));
  EXPECT_EQ(bench.settled(), 1U);
  const auto puts = bench.wait_for_puts(4);
  ASSERT_GE(puts.size(), 4U);
  EXPECT_EQ(puts.back().body, "1\n");
  bench.end();
  EXPECT_EQ(bench.left(), 0U);
}

TEST(S3Output, WhatACrashLeftIsUploadedAtTheNextStartUnderItsKey) {
  S3Bench bench;
  fs::create_directories(bench.folder + "/tmp/0000/logs/h");
  std::ofstream(bench.folder + "/tmp/0000/logs/h/ls.s3.x.part0.txt") << "left\n";
  std::ofstream(bench.folder + "/tmp/0000/empty.txt").close();
  std::string packed;
  Deflater gzip(Deflater::Form::gzip, kGzipLevel);
  gzip.append("whole\n", packed);
  const std::size_t whole = packed.size();
  gzip.append("torn\n", packed);
  packed.resize(packed.size() - 3);
  std::ofstream(bench.folder + "/tmp/0000/ls.s3.y.part0.txt.gz") << packed;
  ASSERT_TRUE(bench.begin(""));
  const auto puts = bench.wait_for_puts(2);
  ASSERT_THAT(puts, SizeIs(2));
  for (const auto& put : puts) {
    const bool plain = put.target == "/bucket/logs/h/ls.s3.x.part0.txt";
    EXPECT_TRUE(plain || put.target == "/bucket/ls.s3.y.part0.txt.gz") << put.target;
    EXPECT_EQ(put.body, plain ? "left\n" : packed.substr(0, whole));
  }
  bench.end();
  EXPECT_EQ(bench.left(), 0U);
}

TEST(S3Output, TheFolderOfAnotherThatRunsIsLeftAlone) {
  S3Bench first;
  ASSERT_TRUE(first.begin(""));
  ASSERT_TRUE(first.send({R"({"message":"1"})"}));
  S3Bench second;
  std::error_code ignored;
  fs::remove_all(second.folder, ignored);
  fs::create_directory_symlink(first.folder, second.folder);
  ASSERT_TRUE(second.begin(""));
  second.end();
  EXPECT_THAT(second.puts(), IsEmpty());
  EXPECT_EQ(first.left(true), 1U);
  fs::remove(second.folder);
}

TEST(S3Output, TheBucketIsTriedAndARefusalIsToldAtTheStart) {
  S3Bench bench;
  ASSERT_TRUE(bench.begin(""));
  ASSERT_THAT(bench.server.requests(), SizeIs(2));
  EXPECT_THAT(bench.server.requests()[0].target, HasSubstr("/bucket/logstash-programmatic-access-test-object-"));
  EXPECT_EQ(bench.server.requests()[1].method, "DELETE");

  OutputBench refused;
  ScriptedServer server(
      [](const Request&) { return ScriptedServer::answer(403, "<Error><Code>AccessDenied</Code></Error>"); });
  ASSERT_TRUE(
      refused.make("s3 { bucket => 'bucket' access_key_id => 'AK' secret_access_key => 'SK' region => 'r' "
                   "endpoint => '" +
                   server.url() + "' temporary_directory => 'FOLDER/t' }"))
      << refused.said;
  const auto opened = refused.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().fault(), Fault::denied);
  EXPECT_THAT(opened.error().text(), HasSubstr("where that port speaks TLS, write https://"));
}

TEST(S3Output, HostilePrefixesStayInTheFolderAndInTheirBucket) {
  EXPECT_EQ(s3_prefix_of("a/../../b"), "a/_/_/b/");
  EXPECT_EQ(s3_prefix_of("/a//./b/"), "a/b/");
  EXPECT_EQ(s3_prefix_of(std::string_view("x\0y\n", 4)), "x_y_/");
  EXPECT_EQ(s3_prefix_of(std::string(300, 'x')), "_/");
  EXPECT_EQ(s3_prefix_of("\xff/a"), "_/a/");
  EXPECT_LE(s3_prefix_of([] {
              std::string many;
              for (int i = 0; i < 2000; ++i) many += "ab/";
              return many;
            }())
                .size(),
            900U);
  S3Bench bench;
  ASSERT_TRUE(bench.begin("size_file => 1 prefix => '%{host}'"));
  ASSERT_TRUE(bench.send({R"({"host":"../../../../etc","message":"1"})"}));
  const auto puts = bench.wait_for_puts(1);
  ASSERT_THAT(puts, SizeIs(1));
  EXPECT_THAT(puts[0].target, HasSubstr("/bucket/_/_/_/_/etc/ls.s3."));
}

TEST(S3Output, MistakesAreNamedWithTheirMend) {
  OutputBench bench;
  const std::string keys = "access_key_id => 'a' secret_access_key => 'b' bucket => 'bucket' ";
  const auto said = [&](const std::string& options) {
    return bench.make("s3 { " + options + " }") ? "accepted: " + bench.said : bench.said;
  };
  EXPECT_THAT(said(keys + "endpoint => 'http://host:443'"), HasSubstr("write https://"));
  EXPECT_THAT(said(keys + "endpoint => 'host'"), HasSubstr("begins with https://"));
  EXPECT_THAT(said(keys + "endpoint => 'https://host'"), HasSubstr("accepted: "));
  EXPECT_THAT(bench.said, HasSubstr("us-east-1 is tried"));
  EXPECT_THAT(said("bucket => 'bucket'"), HasSubstr("access_key_id and secret_access_key are wanted"));
  EXPECT_THAT(said(keys + "role_arn => 'x'"), HasSubstr("roles are not offered"));
  EXPECT_THAT(said(keys + "canned_acl => 'publik-read'"), HasSubstr("did you mean \"public-read\"?"));
  EXPECT_THAT(said("access_key_id => 'a' secret_access_key => 'b' bucket => 'My_Bucket'"), HasSubstr("bucket"));
  EXPECT_EQ(said(keys), "accepted: ");
}

}  // namespace
}  // namespace enclave::pipeline
