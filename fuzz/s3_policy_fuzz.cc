// uses: cloud
#include <cstdint>
#include <string_view>

#include "cloud/s3_policy.h"

using enclave::cloud::BucketPolicy;

// What was read is written so that it is read as the same, and a statement that is put in changes no other.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  auto policy = BucketPolicy::parse(json);
  if (!policy) return 0;
  (void)policy->is_public();
  const auto again = BucketPolicy::parse(policy->json());
  if (!again) return 0;  // numbers may become longer than the limit
  ENSURE(again->json() == policy->json());
  const auto before = policy->statements();
  if (!policy->set(R"({"Sid":"ours of the test","Effect":"Deny"})")) return 0;
  for (std::size_t i = 0; i < before.size(); ++i)
    ENSURE(before[i].sid == "ours of the test" || policy->statements()[i].json == before[i].json);
  return 0;
}
