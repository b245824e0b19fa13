#include "crypto/md5.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace enclave::crypto {
namespace {

TEST(Md5, GivesTheValuesOfTheStandard) {
  EXPECT_EQ(to_hex(md5("").value()), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(to_hex(md5("message digest").value()), "f96b697d7cb7938d525a2f31aaf161d0");
}

}  // namespace
}  // namespace enclave::crypto
