#include "cloud/capabilities.h"

#include <gtest/gtest.h>

namespace enclave::cloud {
namespace {

// What cannot be read again is probed again, each time.
TEST(Capabilities, OfAServerThatAnswersAnythingCanBeReadAgain) {
  Capabilities found;
  found.endpoint = "https://h";
  found.server = "na\xefve \"server\"\r";
  found.left = {"enclave-canary-0011223344556677"};
  found.all = {{"lock", "object lock", Support::refused, "GET /: \xff\xfe\x01\n\\"},
               {"acl", "ACLs", Support::works, ""}};
  const auto read = parse_capabilities(format_capabilities(found));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->server, "na\xef\xbf\xbdve \"server\"\r");
  EXPECT_EQ(read->left, found.left);
  EXPECT_EQ(read->of("lock"), Support::refused);
  EXPECT_EQ(read->all[0].evidence, "GET /: \xef\xbf\xbd\xef\xbf\xbd\x01\n\\");
  EXPECT_TRUE(read->works("acl"));
}

}  // namespace
}  // namespace enclave::cloud
