#include <gmock/gmock.h>

#include "archive/log_source.h"
#include "archive/test_files.h"

namespace enclave::archive {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> listed(LogSource& source, const std::string& prefix) {
  std::vector<std::string> lines;
  const auto visit = [&](const LogSource::Entry& entry) -> Result<void> {
    lines.push_back(fmt::format("{} {} {}{}", entry.key, entry.bytes, entry.version, entry.latest ? " latest" : ""));
    return {};
  };
  EXPECT_TRUE(source.list(prefix, visit));
  return lines;
}

TEST(DirectorySource, ListsAPlainCopyInByteOrderOfItsKeys) {
  TestFiles files;
  for (const char* path : {"/c/v1/a/x", "/c/v1/a-b", "/c/v1/a/.x.tmp", "/c/.hidden/y", "/c/z"})
    files.put(path, "12345");
  const auto source = directory_source(files, "/c");
  EXPECT_THAT(listed(*source, ""), ElementsAre("v1/a-b 5  latest", "v1/a/x 5  latest", "z 5  latest"));
  EXPECT_THAT(listed(*source, "v1/a/"), ElementsAre("v1/a/x 5  latest"));
  EXPECT_THAT(listed(*source, "v1/a"), ElementsAre("v1/a-b 5  latest", "v1/a/x 5  latest"));
  EXPECT_THAT(listed(*source, "v2/"), IsEmpty());
  EXPECT_THAT(listed(*source, "../"), IsEmpty());
}

TEST(DirectorySource, ListsVersionsAndPassesOverDeleteMarkers) {
  TestFiles files;
  const std::string versions = "/c/.enclave-versions/";
  files.put("/c/k/a", "newest");
  files.put(versions + "k/a/00000000000000000001", "1");
  files.put(versions + "k/a/00000000000000000002.deleted", "");
  files.put(versions + "k/a/00000000000000000003", "333");
  files.put(versions + "k/a/00000000000000000004.removed", "");
  files.put(versions + "k/gone/00000000000000000001", "22");
  files.put(versions + "k/gone/00000000000000000002.deleted", "");
  files.put(versions + "k/a/junk", "x");
  files.put("/c/k/once", "1");
  const auto source = directory_source(files, "/c");
  EXPECT_THAT(listed(*source, "k/"), ElementsAre("k/a 1 00000000000000000001", "k/a 3 00000000000000000003",
                                                 "k/a 6 00000000000000000005 latest", "k/gone 2 00000000000000000001",
                                                 "k/once 1 00000000000000000001 latest"));
  EXPECT_EQ(source->get("k/a", "00000000000000000001", 10).value(), "1");
  EXPECT_EQ(source->get("k/a", "00000000000000000005", 10).value(), "newest");
  EXPECT_EQ(source->get("k/a", "", 10).value(), "newest");
  EXPECT_EQ(source->get("k/gone", "00000000000000000001", 10).value(), "22");
  EXPECT_EQ(source->get("k/gone", "", 10).error().fault(), Fault::absent);
}

TEST(DirectorySource, NoKeyLeadsOutOfTheDirectory) {
  TestFiles files;
  files.put("/c/a", "inside");
  files.put("/secret", "outside");
  files.put("/c/.enclave-versions/a/00000000000000000001", "old");
  const auto source = directory_source(files, "/c");
  for (const char* key : {"../secret", "/secret", "x/../../secret", ".", "..", "", "a/", "./a",
                          ".enclave-versions/a/00000000000000000001"})
    EXPECT_EQ(source->get(key, "", 100).error().fault(), Fault::absent) << key;
  EXPECT_EQ(source->get("a", "../../../secret", 100).error().fault(), Fault::absent);
}

TEST(DirectorySource, BoundsWhatItReadsWholeAndInPieces) {
  TestFiles files;
  const std::string large(3 << 20, 'x');
  files.put("/c/a", large);
  const auto source = directory_source(files, "/c");
  EXPECT_EQ(source->get("a", "", large.size()).value(), large);
  EXPECT_EQ(source->get("a", "", large.size() - 1).error().fault(), Fault::limit);
  std::string streamed;
  const auto take = [&](std::string_view piece) -> Result<void> {
    streamed += piece;
    return {};
  };
  ASSERT_TRUE(source->stream("a", "", large.size(), take));
  EXPECT_EQ(streamed, large);
  EXPECT_EQ(source->stream("a", "", large.size() - 1, take).error().fault(), Fault::limit);
}

TEST(DirectorySource, AMissingDirectoryIsAnErrorAndNotAnEmptyLog) {
  TestFiles files;
  const auto source = directory_source(files, "/nowhere");
  EXPECT_FALSE(source->list("", [](const LogSource::Entry&) -> Result<void> { return {}; }));
}

}  // namespace
}  // namespace enclave::archive
