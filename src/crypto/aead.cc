#include "crypto/aead.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <limits>

namespace enclave::crypto {
namespace {

struct Free {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, Free>;

const unsigned char* data_of(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* data_of(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

Context keyed(Cipher cipher, const Secret& key, bool encrypt) {
  const EVP_CIPHER* algorithm = cipher == Cipher::aes_256_gcm ? EVP_aes_256_gcm() : EVP_chacha20_poly1305();
  Context context(EVP_CIPHER_CTX_new());
  ENSURE(context != nullptr);
  ENSURE(EVP_CipherInit_ex(context.get(), algorithm, nullptr, data_of(key.reveal()), nullptr, encrypt ? 1 : 0) == 1);
  return context;
}

// `into` null: associated data. In steps, because OpenSSL counts in int.
void update(EVP_CIPHER_CTX* context, unsigned char* into, std::string_view from) {
  constexpr std::size_t kStep = 1U << 30;
  while (!from.empty()) {
    const std::size_t take = std::min(from.size(), kStep);
    int done = 0;
    ENSURE(EVP_CipherUpdate(context, into, &done, data_of(from), static_cast<int>(take)) == 1);
    ENSURE(done == static_cast<int>(take));
    if (into != nullptr) into += take;
    from.remove_prefix(take);
  }
}

void start(EVP_CIPHER_CTX* context, const Aead::Nonce& nonce, std::string_view associated) {
  // The key schedule stays; -1: the direction too.
  ENSURE(EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, nonce.data(), -1) == 1);
  update(context, nullptr, associated);
}

}  // namespace

struct Aead::State {
  Context sealer;
  Context opener;
};

Aead::Aead(Cipher cipher, const Secret& key) : state_(std::make_unique<State>()) {
  ENSURE(key.size() == 32);
  state_->sealer = keyed(cipher, key, true);
  state_->opener = keyed(cipher, key, false);
}
Aead::~Aead() = default;
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;

void Aead::seal(const Nonce& nonce, std::string_view associated, std::string_view plain, std::string& out) {
  const std::size_t from = out.size();
  out.append(plain);
  seal_tail(nonce, associated, out, from);
}

void Aead::seal_tail(const Nonce& nonce, std::string_view associated, std::string& text, std::size_t from) {
  ENSURE(from <= text.size());
  EVP_CIPHER_CTX* context = state_->sealer.get();
  start(context, nonce, associated);
  update(context, data_of(text) + from, std::string_view(text).substr(from));
  unsigned char tag[kTagBytes];
  int done = 0;
  ENSURE(EVP_CipherFinal_ex(context, tag, &done) == 1 && done == 0);
  ENSURE(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag) == 1);
  text.append(reinterpret_cast<const char*>(tag), kTagBytes);
}

Result<void> Aead::open(const Nonce& nonce, std::string_view associated, std::string_view sealed, std::string& out) {
  if (sealed.size() < kTagBytes)
    return Error{Fault::corrupt, "{} encrypted bytes are fewer than their tag has", sealed.size()};
  const std::string_view body = sealed.substr(0, sealed.size() - kTagBytes);
  unsigned char tag[kTagBytes];
  std::copy_n(sealed.end() - kTagBytes, kTagBytes, tag);
  const std::size_t from = out.size();
  out.resize(from + body.size());
  EVP_CIPHER_CTX* context = state_->opener.get();
  start(context, nonce, associated);
  update(context, data_of(out) + from, body);
  ENSURE(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag) == 1);
  int done = 0;
  unsigned char rest[EVP_MAX_BLOCK_LENGTH];
  if (EVP_CipherFinal_ex(context, rest, &done) == 1) return {};
  wipe(out.data() + from, body.size());
  out.resize(from);
  return Error{Fault::corrupt, "the tag of {} encrypted bytes does not fit: they were changed, or the key is another",
               body.size()};
}

std::array<std::uint8_t, 32> hmac_sha256(std::string_view key, std::string_view message) {
  ENSURE(key.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  std::array<std::uint8_t, 32> mac;
  unsigned int size = 0;
  // A null key would mean "the key before" to OpenSSL.
  const char* key_data = key.empty() ? "" : key.data();
  ENSURE(HMAC(EVP_sha256(), key_data, static_cast<int>(key.size()), data_of(message), message.size(), mac.data(),
              &size) != nullptr);
  ENSURE(size == mac.size());
  return mac;
}

Secret hkdf_sha256(const Secret& key, std::string_view salt, std::string_view info, std::size_t bytes) {
  constexpr std::size_t kBlock = 32;
  ENSURE(bytes <= 255 * kBlock);
  auto extracted = hmac_sha256(salt, key.reveal());
  const std::string_view pseudo_random_key(reinterpret_cast<const char*>(extracted.data()), extracted.size());
  // Reserved whole, so that growing leaves no copy behind.
  std::string okm;
  okm.reserve(bytes + kBlock);
  std::string message;
  message.reserve(kBlock + info.size() + 1);
  for (unsigned char counter = 1; okm.size() < bytes; ++counter) {
    if (counter > 1) message.assign(okm, okm.size() - kBlock, kBlock);
    message.append(info).push_back(static_cast<char>(counter));
    auto block = hmac_sha256(pseudo_random_key, message);
    okm.append(reinterpret_cast<const char*>(block.data()), block.size());
    wipe(block.data(), block.size());
  }
  wipe(message.data(), message.size());
  wipe(extracted.data(), extracted.size());
  okm.resize(bytes);
  return Secret(std::move(okm));
}

}  // namespace enclave::crypto
