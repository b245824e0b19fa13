// uses: cloud
#include <cstdint>
#include <string_view>

#include "cloud/s3_documents.h"
#include "cloud/s3_results.h"

using namespace enclave::cloud;

// What was read is written so that it is read as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view xml(reinterpret_cast<const char*>(data), size);
  (void)parse_versioning_configuration(xml);
  if (const auto block = parse_public_access_block(xml))
    ENSURE(parse_public_access_block(format_public_access_block(*block)).value() == *block);
  if (const auto lock = parse_object_lock(xml)) ENSURE(parse_object_lock(format_object_lock(*lock)).value() == *lock);
  if (const auto acl = parse_acl(xml)) (void)format_acl(*acl);
  if (const auto lifecycle = parse_lifecycle(xml)) (void)format_lifecycle(*lifecycle);
  (void)parse_encryption(xml);
  if (const auto tags = parse_tagging(xml)) (void)format_tagging(*tags);
  (void)parse_logging(xml);
  (void)parse_policy_status(xml);
  (void)parse_location(xml);
  if (const auto page = parse_parts(xml)) ENSURE(!page->truncated || page->next != 0);
  if (const auto page = parse_uploads(xml)) ENSURE(!page->truncated || !page->next_key.empty());
  (void)parse_begun(xml);
  (void)parse_completed(xml);
  (void)parse_copied(xml);
  (void)parse_deleted(xml);
  (void)parse_account(xml);
  return 0;
}
