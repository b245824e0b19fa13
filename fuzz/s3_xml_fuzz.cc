// uses: cloud
#include <cstdint>
#include <string_view>

#include "cloud/s3_errors.h"
#include "cloud/s3_xml.h"

using enclave::Result;
using enclave::cloud::ListPage;

namespace {

// What a page promises to the store that walks it.
void check(const Result<ListPage>& page, bool versions) {
  if (!page) return;
  for (const auto& entry : page->entries) ENSURE(!entry.key.empty());
  if (page->truncated) ENSURE(versions ? !page->next_key.empty() : !page->next_token.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view xml(reinterpret_cast<const char*>(data), size);
  check(enclave::cloud::parse_objects(xml), false);
  check(enclave::cloud::parse_versions(xml), true);
  ENSURE(enclave::cloud::parse_error(xml).message.size() <= 1024);
  (void)enclave::cloud::parse_versioning(xml);
  (void)enclave::cloud::parse_http_date(xml);
  return 0;
}
