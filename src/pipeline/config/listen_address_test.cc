#include "pipeline/config/listen_address.h"

#include <gtest/gtest.h>

namespace enclave::pipeline {
namespace {

TEST(ListenAddress, IsAnAddressAndAPortOrSeveral) {
  EXPECT_EQ(*parse_listen_address("127.0.0.1:8471"), (ListenAddress{"127.0.0.1", 8471, 8471}));
  EXPECT_EQ(*parse_listen_address("localhost:1"), (ListenAddress{"127.0.0.1", 1, 1}));
  EXPECT_EQ(*parse_listen_address("[::1]:65535"), (ListenAddress{"::1", 65535, 65535}));
  EXPECT_EQ(*parse_listen_address("0.0.0.0:9600-9700"), (ListenAddress{"0.0.0.0", 9600, 9700}));
  EXPECT_EQ(parse_listen_address("[::1]:80")->text(80), "[::1]:80");
}

TEST(ListenAddress, RefusesEverythingElse) {
  for (const std::string_view text :
       {"", ":", "8471", ":8471", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:80a",
        "127.0.0.1:9-8", "::1:80", "host.example:80", "127.1:80"})
    EXPECT_FALSE(parse_listen_address(text)) << text;
}

TEST(ListenAddress, KnowsWhatOnlyThisMachineReaches) {
  EXPECT_TRUE((ListenAddress{"127.0.0.2", 1, 1}.is_loopback()));
  EXPECT_TRUE((ListenAddress{"::1", 1, 1}.is_loopback()));
  EXPECT_FALSE((ListenAddress{"0.0.0.0", 1, 1}.is_loopback()));
  EXPECT_FALSE((ListenAddress{"::", 1, 1}.is_loopback()));
  EXPECT_FALSE((ListenAddress{"192.0.2.1", 1, 1}.is_loopback()));
}

}  // namespace
}  // namespace enclave::pipeline
