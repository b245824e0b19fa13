// uses: base cloud
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/encoding.h"
#include "base/result.h"
#include "cloud/capabilities.h"

using namespace enclave::cloud;

// What was read is written so that it is read as the same. And whatever a server has answered, what is kept of it can
// be read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto read = parse_capabilities(text)) {
    const std::string written = format_capabilities(*read);
    const auto again = parse_capabilities(written);
    ENSURE(again && format_capabilities(*again) == written);
    ENSURE(again->all.size() == read->all.size() && again->left == read->left && again->server == read->server);
  }
  Capabilities answered;
  answered.server = text.substr(0, 200);
  answered.all.push_back({"policy.tls_null", "policy", Support::refused, std::string(text.substr(0, 4096))});
  const auto kept = parse_capabilities(format_capabilities(answered));
  ENSURE(kept && kept->all.size() == 1 && kept->of("policy.tls_null") == Support::refused);
  if (enclave::is_utf8(text.substr(0, 4096))) ENSURE(kept->all[0].evidence == answered.all[0].evidence);
  return 0;
}
