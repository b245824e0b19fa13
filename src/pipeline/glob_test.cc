#include "pipeline/glob.h"

#include <gmock/gmock.h>

#include "pipeline/input_bench.h"

namespace enclave::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

bool matches(std::string_view pattern, std::string_view path) {
  const auto glob = Glob::parse(pattern);
  EXPECT_TRUE(glob) << pattern;
  return glob && glob->matches(path);
}

TEST(Glob, MatchesWithinOneComponent) {
  EXPECT_TRUE(matches("/var/log/*.log", "/var/log/a.log"));
  EXPECT_TRUE(matches("/var/log/*.log", "/var/log/.log"));
  EXPECT_FALSE(matches("/var/log/*.log", "/var/log/a/b.log"));
  EXPECT_FALSE(matches("/var/log/*.log", "/var/log/a.log.1"));
  EXPECT_FALSE(matches("/var/log/*", "/var/log"));
  EXPECT_TRUE(matches("/l/a?c[0-9x][^0-9]", "/l/abc5z"));
  EXPECT_FALSE(matches("/l/a?c[0-9x][^0-9]", "/l/abc55"));
  EXPECT_TRUE(matches("/l/?.log", "/l/\xc3\xa4.log")) << "one character, not one byte";
  EXPECT_TRUE(matches("/l/[]x]", "/l/]"));
  EXPECT_TRUE(matches("/l/\\*\\[", "/l/*["));
  EXPECT_FALSE(matches("/l/\\*", "/l/a"));
  EXPECT_TRUE(matches("/l/*a*b*", "/l/xxaxxaxxb"));
}

TEST(Glob, TakesDoubleStarForUpToEightDirectories) {
  EXPECT_TRUE(matches("/v/**/x.log", "/v/x.log"));
  EXPECT_TRUE(matches("/v/**/x.log", "/v/1/2/3/4/5/6/7/8/x.log"));
  EXPECT_FALSE(matches("/v/**/x.log", "/v/1/2/3/4/5/6/7/8/9/x.log"));
  EXPECT_TRUE(matches("/v/**", "/v/a/b"));
  EXPECT_TRUE(matches("/v/**", "/v/1/2/3/4/5/6/7/8"));
  EXPECT_FALSE(matches("/v/**", "/v/1/2/3/4/5/6/7/8/9"));
  EXPECT_FALSE(matches("/v/a**b", "/v/a/b")) << "only as a whole component";
  EXPECT_TRUE(matches("/v/a**b", "/v/axb"));
}

TEST(Glob, RefusesPatternsThatCannotBeMeant) {
  for (const std::string pattern : {"", "/a/[b", "/a/**/b/**/c", "/a/b/", "/", "/a/b\\", "/a/[]"})
    EXPECT_FALSE(Glob::parse(pattern)) << pattern;
  EXPECT_FALSE(Glob::parse(std::string_view("/a\0b", 4)));
  EXPECT_FALSE(Glob::parse("/" + std::string(5000, 'a')));
}

TEST(Glob, MatchesInBoundedTime) {
  std::string pattern = "/";
  for (int i = 0; i < 100; ++i) pattern += "a*";
  EXPECT_FALSE(matches(pattern + "b", "/" + std::string(250, 'a')));
}

class GlobExpansion : public ::testing::Test {
 protected:
  void make(const std::string& path) {
    std::filesystem::create_directories(std::filesystem::path(directory / path).parent_path());
    testing::append(directory / path, "");
  }
  std::vector<std::string> expanded(const std::string& pattern) {
    std::vector<std::string> found;
    GlobVisitor visitor;
    visitor.candidate = [&](const std::string& path, bool) {
      found.push_back(path.substr(directory.path().size() + 1));
    };
    visitor.directory = [&](const std::string& path) { listed.push_back(path); };
    visitor.failure = [&](const std::string& path, const Error&) { failed.push_back(path); };
    expand(io::real_files(), *Glob::parse(directory / pattern), visitor);
    return found;
  }
  testing::TempDirectory directory;
  std::vector<std::string> listed, failed;
};

TEST_F(GlobExpansion, FindsWhatMatchesEachOnce) {
  for (const auto* path : {"a.log", "b.txt", "d/a.log", "d/e/a.log", "d/e/z.log", "n.log/x.log"}) make(path);
  EXPECT_THAT(expanded("*.log"), ElementsAre("a.log"));
  EXPECT_THAT(expanded("*/a.log"), UnorderedElementsAre("d/a.log", "n.log/a.log"));
  EXPECT_THAT(expanded("**/*.log"), UnorderedElementsAre("a.log", "d/a.log", "d/e/a.log", "d/e/z.log", "n.log/x.log"));
  EXPECT_THAT(expanded("**/e/a.log"), ElementsAre("d/e/a.log"));
  EXPECT_THAT(expanded("**"),
              UnorderedElementsAre("a.log", "b.txt", "d/a.log", "d/e/a.log", "d/e/z.log", "n.log/x.log"));
  EXPECT_THAT(expanded("d/**/e/*"), UnorderedElementsAre("d/e/a.log", "d/e/z.log"));
}

TEST_F(GlobExpansion, AgreesWithMatching) {
  for (const auto* path : {"1.log", "a/1.log", "a/b/1.log", "a/b/c/2.log", "b/x/1.log", "1/2/3/4/5/6/7/8/9/10/1.log"})
    make(path);
  const auto all = [&] {
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory.path()))
      if (entry.is_regular_file()) paths.push_back(entry.path().string().substr(directory.path().size() + 1));
    return paths;
  }();
  for (const auto* pattern : {"**", "**/1.log", "**/b/*", "a/**/[0-9].log", "*/*/*", "**/*/1.log", "?/**"}) {
    std::vector<std::string> matching;
    for (const auto& path : all)
      if (matches(pattern, path)) matching.push_back(path);
    auto found = expanded(pattern);
    std::erase_if(found, [&](const std::string& path) { return !std::filesystem::exists(directory / path); });
    EXPECT_THAT(found, ::testing::UnorderedElementsAreArray(matching)) << pattern;
  }
}

TEST_F(GlobExpansion, IsNotCaughtByLinksThatLeadBack) {
  make("d/a.log");
  std::filesystem::create_directory_symlink(directory.path(), directory / "d/up");
  std::filesystem::create_directory_symlink(directory / "d", directory / "d/self");
  const auto found = expanded("**/*.log");
  EXPECT_LE(found.size(), 3U);
  EXPECT_LE(listed.size(), 10U);
}

TEST_F(GlobExpansion, TellsWhatItCannotList) {
  EXPECT_THAT(expanded("missing/*.log"), ElementsAre());
  EXPECT_THAT(failed, ElementsAre(directory / "missing"));
}

}  // namespace
}  // namespace enclave::pipeline
