#include <gmock/gmock.h>
#include <sys/stat.h>
#include <zlib.h>

#include "pipeline/output_bench.h"

namespace enclave::pipeline {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FileOutput : public ::testing::Test, protected OutputBench {
 protected:
  std::string unpacked(const std::string& path) const {
    const gzFile file = gzopen((folder + "/" + path).c_str(), "rb");
    std::string all(1 << 20, '\0');
    const int got = gzread(file, all.data(), static_cast<unsigned>(all.size()));
    EXPECT_EQ(gzclose(file), Z_OK);
    all.resize(static_cast<std::size_t>(std::max(got, 0)));
    return all;
  }
  std::vector<std::string> all_files() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (!entry.is_directory()) found.push_back(fs::relative(entry.path(), folder));
    std::ranges::sort(found);
    return found;
  }
};

TEST_F(FileOutput, WritesOneJsonLineForEachEventAndMakesTheFolders) {
  ASSERT_TRUE(start("file { path => 'FOLDER/a/b/out.log' }"));
  ASSERT_TRUE(send({R"({"message":"one"})", R"({"message":"two"})"}));
  ASSERT_TRUE(send({R"({"message":"three"})"}));
  EXPECT_EQ(settled(), 2U);
  EXPECT_EQ(read("a/b/out.log"), "{\"message\":\"one\"}\n{\"message\":\"two\"}\n{\"message\":\"three\"}\n");
}

TEST_F(FileOutput, APathMadeOfFieldsAndTimesPartsTheEventsAndKeepsTheirOrder) {
  ASSERT_TRUE(start("file { path => 'FOLDER/%{host}/%{+YYYY-MM-dd}.log' codec => line { format => '%{message}' } }"));
  const auto event = [](const std::string& host, const std::string& text) {
    return R"({"@timestamp":"2026-11-23T09:26:33.123Z","host":")" + host + R"(","message":")" + text + "\"}";
  };
  ASSERT_TRUE(send({event("a", "1"), event("b", "2"), event("a", "3"), event("b", "4"), event("b", "5")}));
  EXPECT_EQ(read("a/2026-11-23.log"), "1\n3\n");
  EXPECT_EQ(read("b/2026-11-23.log"), "2\n4\n5\n");
  ASSERT_TRUE(send({R"({"@timestamp":"2026-11-24T00:00:00Z","message":"6"})"}));
  EXPECT_EQ(read("%{host}/2026-11-24.log"), "6\n");
}

TEST_F(FileOutput, HostileFieldsNeverLeaveTheFolderAndTheirEventsAreKept) {
  ASSERT_TRUE(start("file { path => 'FOLDER/in/app-%{host}.log' codec => line { format => '%{message}' } }"));
  const std::string longest(300, 'x');
  std::vector<std::string> events;
  for (const std::string& host :
       {std::string("x/../../outside"), std::string("../../../../../../tmp/enclave-outside"), std::string("x/.."),
        std::string("a\\u0000b"), longest, std::string("x/../../in-beside/y"), std::string("/../../../etc/cron.d/y")})
    events.push_back(R"({"host":")" + host + R"(","message":"kept"})");
  ASSERT_TRUE(send(events));
  ASSERT_TRUE(send({R"({"host":"x/../y","message":"inside"})", R"({"host":["b","c"],"message":"list"})"}));
  EXPECT_THAT(all_files(), ElementsAre("in/_filepath_failures", "in/app-b,c.log", "in/app-x/...log", "in/y.log"));
  EXPECT_EQ(read("in/_filepath_failures"), "kept\nkept\nkept\nkept\nkept\nkept\n");
  EXPECT_GE(log.counted("events_misdirected"), 1);
  EXPECT_FALSE(fs::exists("/tmp/enclave-outside.log"));
}

TEST_F(FileOutput, ASymbolicLinkInPlaceOfAFileIsNotFollowedWhereEventsNameIt) {
  ASSERT_TRUE(start("file { path => 'FOLDER/in/%{host}' filename_failure => 'others' }"));
  fs::create_directories(folder + "/in");
  fs::create_symlink(folder + "/outside", folder + "/in/link");
  fs::create_directories(folder + "/in/folder");
  ASSERT_TRUE(send({R"({"host":"link"})", R"({"host":"folder"})", R"({"host":"link/x"})"}));
  EXPECT_EQ(read("in/others"), "{\"host\":\"link\"}\n{\"host\":\"folder\"}\n{\"host\":\"link/x\"}\n");
  EXPECT_FALSE(fs::exists(folder + "/outside"));
}

TEST_F(FileOutput, AFolderThatEventsWouldChooseIsRefused) {
  EXPECT_FALSE(make("file { path => '/%{host}/x' }"));
  EXPECT_THAT(said, HasSubstr("must begin with a folder"));
  EXPECT_FALSE(make("file { path => '%{path}' }"));
  EXPECT_THAT(said, HasSubstr("an absolute path is wanted"));
  EXPECT_FALSE(make("file { path => 'FOLDER/' }"));
  EXPECT_FALSE(make("file { codec => plain }"));
  EXPECT_THAT(said, HasSubstr("path is wanted"));
  EXPECT_FALSE(make("file { path => 'FOLDER/%{h}' filename_failure => '../x' }"));
}

TEST_F(FileOutput, AFileThatIsRotatedOrDeletedIsMadeAnew) {
  ASSERT_TRUE(start("file { path => 'FOLDER/out.log' codec => line { format => '%{message}' } }"));
  ASSERT_TRUE(send({R"({"message":"1"})"}));
  fs::rename(folder + "/out.log", folder + "/out.log.1");
  ASSERT_TRUE(send({R"({"message":"2"})"}));
  fs::remove(folder + "/out.log");
  ASSERT_TRUE(send({R"({"message":"3"})"}));
  EXPECT_EQ(settled(), 3U);
  EXPECT_EQ(read("out.log.1"), "1\n");
  EXPECT_EQ(read("out.log"), "3\n");
}

TEST_F(FileOutput, WithoutCreateIfDeletedEventsOfAMissingFileGoToTheOther) {
  ASSERT_TRUE(start("file { path => 'FOLDER/out.log' create_if_deleted => false }"));
  ASSERT_TRUE(send({R"({"n":1})"}));
  std::ofstream(folder + "/out.log").close();
  ASSERT_TRUE(send({R"({"n":2})"}));
  EXPECT_EQ(read("_filepath_failures"), "{\"n\":1}\n");
  EXPECT_EQ(read("out.log"), "{\"n\":2}\n");
}

TEST_F(FileOutput, ALineTornByACrashDoesNotSwallowTheNext) {
  std::ofstream(folder + "/out.log") << "{\"n\":0}\n{\"to";
  ASSERT_TRUE(start("file { path => 'FOLDER/out.log' }"));
  ASSERT_TRUE(send({R"({"n":1})"}));
  ASSERT_TRUE(send({R"({"n":2})"}));
  EXPECT_EQ(read("out.log"), "{\"n\":0}\n{\"to\n{\"n\":1}\n{\"n\":2}\n");
}

TEST_F(FileOutput, GzipFilesAreWholeAfterEachBatchAndTornOnesAreSetAside) {
  const std::string plugin = "file { path => 'FOLDER/%{host}.gz' gzip => true }";
  ASSERT_TRUE(start(plugin));
  ASSERT_TRUE(send({R"({"host":"a","n":1})", R"({"host":"b","n":2})", R"({"host":"a","n":3})"}));
  ASSERT_TRUE(send({R"({"host":"a","n":4})"}));
  EXPECT_EQ(unpacked("a.gz"), "{\"host\":\"a\",\"n\":1}\n{\"host\":\"a\",\"n\":3}\n{\"host\":\"a\",\"n\":4}\n");
  EXPECT_EQ(unpacked("b.gz"), "{\"host\":\"b\",\"n\":2}\n");
  fs::resize_file(folder + "/a.gz", fs::file_size(folder + "/a.gz") - 5);
  ASSERT_TRUE(start(plugin));
  ASSERT_TRUE(send({R"({"host":"a","n":5})", R"({"host":"b","n":6})"}));
  EXPECT_EQ(unpacked("a.gz"), "{\"host\":\"a\",\"n\":5}\n");
  EXPECT_EQ(unpacked("b.gz"), "{\"host\":\"b\",\"n\":2}\n{\"host\":\"b\",\"n\":6}\n");
  EXPECT_THAT(log.troubles(), ElementsAre(HasSubstr("its end is torn")));
  EXPECT_EQ(all_files().size(), 3U);
}

TEST_F(FileOutput, OverwriteKeepsTheLastEvent) {
  ASSERT_TRUE(
      start("file { path => 'FOLDER/last' write_behavior => 'overwrite' codec => plain { format => '%{n}' } }"));
  ASSERT_TRUE(send({R"({"n":100})", R"({"n":2})"}));
  ASSERT_TRUE(send({R"({"n":3})"}));
  EXPECT_EQ(read("last"), "3");
}

TEST_F(FileOutput, ModesAreOctalWithALeadingZeroAndAWrongBaseIsNamed) {
  ASSERT_TRUE(start("file { path => 'FOLDER/d/out.log' file_mode => 0600 dir_mode => 0700 }"));
  ASSERT_TRUE(send({"{}"}));
  struct stat found {};
  ASSERT_EQ(::stat((folder + "/d/out.log").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0600U);
  ASSERT_EQ(::stat((folder + "/d").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0700U);
  EXPECT_TRUE(make("file { path => 'FOLDER/x' file_mode => 640 }"));
  EXPECT_THAT(said, HasSubstr("means the mode 01200; write 0640"));
  EXPECT_FALSE(make("file { path => 'FOLDER/x' file_mode => 'rw' }"));
}

TEST_F(FileOutput, ManyFilesStayWithinTheBoundOfOpenOnes) {
  ASSERT_TRUE(start("file { path => 'FOLDER/%{n}.log' codec => line { format => 'x' } }"));
  std::vector<std::string> events;
  for (int i = 0; i < 300; ++i) events.push_back(R"({"n":)" + std::to_string(i) + "}");
  ASSERT_TRUE(send(events));
  ASSERT_TRUE(send(events));
  EXPECT_LE(log.counted("files_open"), 256);
  settled();
  for (int i = 0; i < 300; ++i) EXPECT_EQ(read(std::to_string(i) + ".log"), "x\nx\n") << i;
}

TEST_F(FileOutput, AFullDiskHoldsUpAndAStopEndsTheWaiting) {
  ASSERT_TRUE(start("file { path => '/dev/full' }"));
  stopping = true;
  const auto sent = send({"{}"});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().fault(), Fault::busy);
  EXPECT_THAT(log.troubles(), ElementsAre(HasSubstr("free space")));
  EXPECT_EQ(settled(false), 0U);
}

}  // namespace
}  // namespace enclave::pipeline
