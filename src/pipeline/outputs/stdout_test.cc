#include <gmock/gmock.h>

#include "pipeline/output_bench.h"

namespace enclave::pipeline {
namespace {

TEST(StdoutOutput, PrintsAsRubydebugUnlessACodecIsAskedFor) {
  OutputBench bench;
  ASSERT_TRUE(bench.start("stdout {}"));
  ::testing::internal::CaptureStdout();
  const auto sent = bench.send({R"({"message":"hi"})"});
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "{\n    \"message\" => \"hi\"\n}\n");
  ASSERT_TRUE(sent);
  EXPECT_EQ(bench.settled(), 1U);
  ASSERT_TRUE(bench.start("stdout { codec => json_lines }"));
  ::testing::internal::CaptureStdout();
  ASSERT_TRUE(bench.send({R"({"message":"hi"})", R"({"message":"there"})"}));
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "{\"message\":\"hi\"}\n{\"message\":\"there\"}\n");
}

}  // namespace
}  // namespace enclave::pipeline
