#include "cli/object_names.h"

#include <gmock/gmock.h>

#include "cli/printable.h"

namespace enclave::cli {
namespace {

pipeline::Config config() {
  pipeline::Config config;
  config.path = "enclave.yaml";
  for (const char* purpose : {"data", "logs"}) {
    pipeline::BucketConfig bucket;
    bucket.name = bucket.purpose = purpose;
    config.buckets.push_back(std::move(bucket));
  }
  return config;
}

TEST(ObjectNames, TellABucketFromAKey) {
  const auto place = [](std::string_view text) {
    const auto found = place_of(config(), text);
    return found ? found->bucket + "|" + found->key : found.error().text();
  };
  EXPECT_EQ(place("data/a/b"), "data|a/b");
  EXPECT_EQ(place("data"), "data|");
  EXPECT_EQ(place("photos/a"), "data|photos/a");
  EXPECT_EQ(place("s3://other/x"), "other|x");
  EXPECT_THAT(place("s3://Other/x"), ::testing::HasSubstr("other"));
  EXPECT_THAT(place_of(pipeline::Config{}, "x").error().text(), ::testing::HasSubstr("s3://BUCKET"));
}

TEST(ObjectNames, BecomePathsBelowTheTarget) {
  const auto path = [](std::string_view key, std::string_view asked) {
    const auto found = local_path(key, asked);
    return found ? *found : std::string("refused");
  };
  EXPECT_EQ(path("a/b.txt", "a/b.txt"), "b.txt");
  EXPECT_EQ(path("photos/2026/x", "photos/"), "photos/2026/x");
  EXPECT_EQ(path("deep/photos/x", "deep/photos/"), "photos/x");
  EXPECT_EQ(path("a/x/b.txt", "a/*/b.txt"), "x/b.txt");
  EXPECT_EQ(path("a/b", ""), "a/b");
  for (const std::string_view key : {"../x", "a/../../x", "/etc/passwd", "a//b", "./x", "a/", ""})
    EXPECT_EQ(path(key, ""), "refused") << key;
  EXPECT_EQ(path(std::string_view("a\0b", 3), ""), "refused");
  EXPECT_EQ(path(std::string(256, 'x'), ""), "refused");
  EXPECT_EQ(path("a/../../x", "a/"), "refused");
}

TEST(ObjectNames, DoNotCommandTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31m\n\xff"), "a\\x1b[31m\\x0a\\xff");
  EXPECT_EQ(printable("ä"), "ä");
  EXPECT_EQ(printable("\xc2\x9b\xc2\xa0\xc2"), "\\xc2\\x9b\\xc2\\xa0\\xc2");
  EXPECT_EQ(printable("\xc2\x9b\xc2\xa0"), "\\xc2\\x9b\xc2\xa0");
  EXPECT_EQ(printable("a\tb"), "a\\x09b");
  EXPECT_EQ(printable("a\tb\n", Tabs::keep), "a\tb\\x0a");
}

}  // namespace
}  // namespace enclave::cli
