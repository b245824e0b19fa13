#include "cloud/upload_journal.h"

#include <gtest/gtest.h>

namespace enclave::cloud {
namespace {

TEST(UploadJournal, KnowsNoPartsThatNoServerHas) {
  UploadState state;
  state.key = "k";
  state.id = "2~x";
  state.part_bytes = 8 << 20;
  const std::string text = format_upload_state(state);
  EXPECT_TRUE(parse_upload_state(text + "part 10000 1 00\n"));
  // The last one is number 1 to whoever keeps 32 bits of it.
  for (const char* number : {"0", "10001", "4294967297"}) {
    const auto read = parse_upload_state(text + "part " + number + " 1 00\n");
    ASSERT_FALSE(read) << number;
    EXPECT_EQ(read.error().fault(), Fault::corrupt);
  }
}

}  // namespace
}  // namespace enclave::cloud
