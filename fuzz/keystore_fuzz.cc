// uses: pipeline crypto event base
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/filebeat/keystore.h"
#include "pipeline/logstash/keystore.h"

using namespace enclave;

// Any bytes as each of the keystores: a secret or an error, within bounds. A store that opens keeps what it holds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::int64_t kIterations = 12'000;
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  for (const auto& password : {std::optional<std::string>("changeit"), std::optional<std::string>()}) {
    const auto found = pipeline::logstash::keystore_value(bytes, password, "es_pwd", kIterations);
    if (found) ENSURE(found->size() <= size);
  }
  const auto secrets = pipeline::filebeat::read_keystore(bytes);
  if (secrets)
    for (const auto& [name, secret] : *secrets) ENSURE(name.size() + secret.size() <= size);
  (void)pipeline::filebeat::keystore_path_of(bytes);
  return 0;
}
