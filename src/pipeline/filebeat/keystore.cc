#include "pipeline/filebeat/keystore.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/files.h"
#include "crypto/aead.h"
#include "crypto/pkcs12_secret.h"
#include "event/json.h"
#include "event/value.h"
#include "pipeline/config/yaml.h"
#include "pipeline/filebeat/reader.h"

namespace enclave::pipeline::filebeat {
namespace {

constexpr std::string_view kVersion = "v1";
constexpr std::size_t kSaltBytes = 64, kKeyBytes = 32;
constexpr int kIterations = 10'000;

Result<std::string> opened(std::string_view sealed) {
  crypto::Aead::Nonce nonce;
  if (sealed.size() < kSaltBytes + nonce.size() + crypto::Aead::kTagBytes)
    return Error{Fault::corrupt, "it ends too early"};
  const auto salt = sealed.substr(0, kSaltBytes);
  std::copy_n(sealed.begin() + kSaltBytes, nonce.size(), nonce.begin());
  crypto::Aead aead(crypto::Cipher::aes_256_gcm, crypto::pbkdf2_sha512("", salt, kIterations, kKeyBytes));
  std::string plain;
  TRY(aead.open(nonce, "", sealed.substr(kSaltBytes + nonce.size()), plain));
  return plain;
}

}  // namespace

Result<KeystoreSecrets> read_keystore(std::string_view bytes) {
  if (bytes.size() > kKeystoreBytesMax) return Error{Fault::limit, "it has more than {} bytes", kKeystoreBytesMax};
  if (!bytes.starts_with(kVersion)) return Error{Fault::unsupported, "its version is not v1"};
  while (bytes.ends_with('\n')) bytes.remove_suffix(1);
  const auto sealed = from_base64(bytes.substr(kVersion.size()));
  if (!sealed) return Error{Fault::corrupt, "it is not as Filebeat writes it"};
  auto json = opened(*sealed);
  if (!json) return Error{Fault::corrupt, "it is damaged, or was made with a password"};
  const crypto::Secret plain(std::move(*json));
  event::Arena arena;
  event::JsonReader reader;
  const auto root = reader.read(plain.reveal(), arena);
  if (!root || !root->is(event::Kind::map)) return Error{Fault::corrupt, "it holds no map"};
  KeystoreSecrets secrets;
  for (const event::Member& member : root->members()) {
    const event::Value* const value = member.value.is(event::Kind::map) ? member.value.find("value") : nullptr;
    if (value == nullptr || !value->is(event::Kind::text)) return Error{Fault::corrupt, "a secret is damaged"};
    auto text = from_base64(value->text());
    if (!text) return Error{Fault::corrupt, "a secret is damaged"};
    secrets.insert_or_assign(std::string(member.name), crypto::Secret(std::move(*text)));
  }
  return secrets;
}

std::string keystore_path_of(std::string_view config) {
  Diagnostics none;
  const Node root = nested(parse_yaml(config, "", none), none);
  const auto text_at = [&](std::string_view path) {
    const Node* const found = find_path(root, path);
    return found != nullptr && found->kind == Node::Kind::scalar ? found->scalar : "";
  };
  const std::string path = text_at("keystore.path"), data = text_at("path.data");
  constexpr std::string_view kData = "${path.data}";
  if (path.starts_with(kData) && !data.empty()) return data + path.substr(kData.size());
  if (!path.empty()) return path;
  return data.empty() ? "" : join_path(data, "filebeat.keystore");
}

}  // namespace enclave::pipeline::filebeat
