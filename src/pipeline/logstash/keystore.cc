#include "pipeline/logstash/keystore.h"

#include <algorithm>

#include "base/encoding.h"

namespace enclave::pipeline::logstash {
namespace {

constexpr std::string_view kPrefix = "urn:logstash:secret:v1:";

/// The last byte says how many before it are the password: its first half with the second half laid over it.
std::optional<crypto::Secret> kept_password(std::string_view store) {
  const std::size_t bytes = store.empty() ? 0 : static_cast<unsigned char>(store.back());
  if (bytes == 0 || bytes % 2 != 0 || store.size() < bytes + 1) return std::nullopt;
  const std::string_view kept = store.substr(store.size() - 1 - bytes, bytes);
  std::string password;
  for (std::size_t i = 0; i < bytes / 2; ++i) password += static_cast<char>(kept[i] ^ kept[bytes / 2 + i]);
  return crypto::Secret(std::move(password));
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

Result<crypto::Secret> keystore_value(std::string_view store, const std::optional<std::string>& password,
                                      std::string_view name, std::int64_t iterations_max) {
  std::optional<crypto::Secret> opens;
  if (!password) {
    opens = kept_password(store);
    if (!opens) return Error{Fault::denied, "it is kept under a password; set {} to it", kKeystorePassword};
  } else if (password->empty()) {
    return Error{Fault::denied, "{} is empty; set it to the password of the store, or not at all", kKeystorePassword};
  } else {
    opens.emplace(is_ascii(*password) ? *password : to_base64(*password));
  }
  auto found = crypto::pkcs12_secret(store, *opens, std::string(kPrefix) + std::string(name), iterations_max);
  if (!found && found.error().fault() == Fault::denied)
    return Error{Fault::denied, "{}; {}", found.error().text(),
                 password ? "LOGSTASH_KEYSTORE_PASS is not its password"
                          : "where it was made with a password, set LOGSTASH_KEYSTORE_PASS to it"};
  if (!found) return found.error();
  auto plain = from_base64(found->reveal());
  if (!plain) return Error{Fault::corrupt, "a secret is not as Logstash writes it"};
  return crypto::Secret(std::move(*plain));
}

}  // namespace enclave::pipeline::logstash
