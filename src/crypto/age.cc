#include "crypto/age.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/encoding.h"
#include "crypto/aead.h"
#include "crypto/age_access.h"
#include "crypto/x25519.h"

namespace enclave::crypto {
namespace {

constexpr std::size_t kRecipientsMax = 64;
constexpr std::size_t kFileKeyBytes = kAgeFileKeyBytes;
constexpr std::size_t kNonceBytes = kAgeNonceBytes;
constexpr std::size_t kChunkBytes = kAgeChunkBytes;
constexpr std::size_t kSealedChunkBytes = kAgeSealedChunkBytes;
constexpr std::string_view kX25519 = "X25519";
constexpr std::string_view kX25519Info = "age-encryption.org/v1/X25519";

Secret random_secret(Random& random, std::size_t bytes) {
  std::string drawn(bytes, '\0');
  random.fill({reinterpret_cast<std::uint8_t*>(drawn.data()), drawn.size()});
  return Secret(std::move(drawn));
}

Secret wrap_key(const Secret& shared, const X25519Point& share, const X25519Point& recipient) {
  return hkdf_sha256(shared, std::string(bytes_of(share)) + std::string(bytes_of(recipient)), kX25519Info, 32);
}

std::array<std::uint8_t, 32> header_mac(const Secret& file_key, std::string_view covered) {
  return hmac_sha256(hkdf_sha256(file_key, "", "header", 32).reveal(), covered);
}

Result<void> write_stanza(const AgeRecipient& recipient, const Secret& file_key, Random& random, std::string& header) {
  const Secret ephemeral = random_secret(random, 32);
  const X25519Point share = x25519_public(ephemeral);
  const auto shared = x25519(ephemeral, AgeAccess::point(recipient));
  if (!shared) return Error{Fault::invalid, "{} is of low order: anyone could read", recipient.text()};
  std::string body;
  Aead(Cipher::chacha20_poly1305, wrap_key(*shared, share, AgeAccess::point(recipient)))
      .seal(Aead::Nonce{}, "", file_key.reveal(), body);
  // 32 bytes are 43 characters: one short line, which ends the stanza.
  header += fmt::format("-> {} {}\n{}\n", kX25519, to_raw_base64(bytes_of(share)), to_raw_base64(body));
  return {};
}

void write_payload(std::span<const std::string_view> parts, std::uint64_t plain_bytes, Aead& aead, std::string& out) {
  auto part = parts.begin();
  std::size_t taken = 0;  // of *part
  std::uint64_t left = plain_bytes;
  for (std::uint64_t number = 0;; ++number) {
    const std::size_t begin = out.size();
    const std::size_t chunk = static_cast<std::size_t>(std::min<std::uint64_t>(left, kChunkBytes));
    for (std::size_t filled = 0; filled < chunk;) {
      const std::string_view piece = part->substr(taken, chunk - filled);
      out.append(piece);
      filled += piece.size();
      taken += piece.size();
      if (taken < part->size()) continue;
      ++part;
      taken = 0;
    }
    left -= chunk;
    aead.seal_tail(age_chunk_nonce(number, left == 0), "", out, begin);
    if (left == 0) return;
  }
}

struct X25519Stanza {
  X25519Point share;
  std::string_view body;
};

// All of them are checked before one is used: what a file means must not depend on which identity is tried first.
Result<std::vector<X25519Stanza>> x25519_stanzas(const AgeHeader& header) {
  std::vector<X25519Stanza> found;
  for (const auto& stanza : header.stanzas) {
    if (stanza.type == "scrypt" && header.stanzas.size() > 1)
      return Error{Fault::corrupt, "age header: a passphrase (scrypt) stands beside other recipients"};
    if (stanza.type != kX25519) continue;
    if (stanza.arguments.size() != 1)
      return Error{Fault::corrupt, "age header: an X25519 recipient with {} arguments, not 1", stanza.arguments.size()};
    const auto share = from_raw_base64(stanza.arguments[0]);
    if (!share || share->size() != 32)
      return Error{Fault::corrupt, "age header: the share of an X25519 recipient is not 32 bytes in canonical base64"};
    if (stanza.body.size() != kFileKeyBytes + Aead::kTagBytes)
      return Error{Fault::corrupt, "age header: the wrapped key of an X25519 recipient has {} bytes, not 32",
                   stanza.body.size()};
    X25519Stanza entry{{}, stanza.body};
    std::copy(share->begin(), share->end(), entry.share.begin());
    found.push_back(entry);
  }
  return found;
}

Error no_identity_fits(const AgeHeader& header, std::span<const AgeIdentity> identities) {
  std::map<std::string, std::size_t> types;
  for (const auto& stanza : header.stanzas)
    // Others write stanzas of made-up types, to keep readers tolerant.
    if (!stanza.type.ends_with("-grease")) ++types[stanza.type.substr(0, 32)];
  std::string recipients;
  for (const auto& [type, count] : types) {
    if (recipients.size() > 200) break;
    recipients += fmt::format("{}{} of type {}", recipients.empty() ? "" : ", ", count, type);
  }
  std::string given;
  for (std::size_t i = 0; i < identities.size() && i < 8; ++i)
    given += fmt::format("{}{}", i == 0 ? "" : ", ", identities[i].recipient().text());
  if (identities.size() > 8) given += fmt::format(" and {} more", identities.size() - 8);
  return Error{Fault::denied, "no identity fits: recipients: {} (the header does not name them); identities given: {}",
               recipients.empty() ? "none that is known" : recipients, given.empty() ? "none" : given};
}

Result<Secret> unwrap_file_key(const AgeHeader& header, std::span<const AgeIdentity> identities) {
  const auto stanzas = TRY(x25519_stanzas(header));
  for (const auto& identity : identities) {
    for (const auto& stanza : stanzas) {
      const auto shared = x25519(AgeAccess::scalar(identity), stanza.share);
      if (!shared) return Error{Fault::corrupt, "age header: the share of an X25519 recipient is of low order"};
      Aead aead(Cipher::chacha20_poly1305, wrap_key(*shared, stanza.share, AgeAccess::point(identity.recipient())));
      std::string file_key;
      file_key.reserve(kFileKeyBytes);
      if (aead.open(Aead::Nonce{}, "", stanza.body, file_key)) return Secret(std::move(file_key));
    }
  }
  return no_identity_fits(header, identities);
}

}  // namespace

Aead::Nonce age_chunk_nonce(std::uint64_t number, bool last) {
  Aead::Nonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[10 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  nonce[11] = last ? 1 : 0;
  return nonce;
}

Aead age_payload_cipher(const Secret& file_key, std::string_view nonce) {
  return {Cipher::chacha20_poly1305, hkdf_sha256(file_key, nonce, "payload", 32)};
}

Result<AgeBegun> begin_age_file(std::span<const AgeRecipient> recipients, Random& random) {
  if (recipients.empty()) return Error{Fault::invalid, "no recipient to encrypt to"};
  if (recipients.size() > kRecipientsMax)
    return Error{Fault::limit, "{} recipients, at most {}", recipients.size(), kRecipientsMax};
  AgeBegun begun{std::string(kAgeVersionLine), random_secret(random, kFileKeyBytes)};
  std::string& file = begun.preface;
  for (const auto& recipient : recipients) TRY(write_stanza(recipient, begun.file_key, random, file));
  file += "---";
  file += fmt::format(" {}\n", to_raw_base64(bytes_of(header_mac(begun.file_key, file))));
  file += random_secret(random, kNonceBytes).reveal();
  return begun;
}

bool is_age_key(std::string_view file, const AgeHeader& header, const Secret& file_key) {
  const auto mac = header_mac(file_key, file.substr(0, header.mac_bytes));
  return equal_in_constant_time(bytes_of(mac), bytes_of(header.mac));
}

Result<Secret> open_age_header(std::string_view file, const AgeHeader& header,
                               std::span<const AgeIdentity> identities) {
  Secret file_key = TRY(unwrap_file_key(header, identities));
  if (!is_age_key(file, header, file_key))
    return Error{Fault::corrupt, "age header: it was changed, its MAC does not fit"};
  return file_key;
}

std::uint64_t age_payload_bytes(std::uint64_t plain_bytes) {
  const std::uint64_t chunks = plain_bytes == 0 ? 1 : (plain_bytes - 1) / kChunkBytes + 1;
  return kNonceBytes + plain_bytes + chunks * Aead::kTagBytes;
}

Result<std::string> age_encrypt(std::span<const AgeRecipient> recipients, std::span<const std::string_view> parts,
                                Random& random) {
  AgeBegun begun = TRY(begin_age_file(recipients, random));
  std::string file = std::move(begun.preface);
  std::uint64_t plain_bytes = 0;
  for (const auto& part : parts) plain_bytes += part.size();
  Aead aead = age_payload_cipher(begun.file_key, std::string_view(file).substr(file.size() - kNonceBytes));
  file.reserve(file.size() + age_payload_bytes(plain_bytes) - kNonceBytes);
  write_payload(parts, plain_bytes, aead, file);
  return file;
}

Result<void> age_decrypt(std::string_view file, std::span<const AgeIdentity> identities,
                         const std::function<Result<void>(std::string_view)>& take) {
  const AgeHeader header = TRY(parse_age_header(file));
  const Secret file_key = TRY(open_age_header(file, header, identities));
  std::string_view payload = file.substr(header.bytes);
  if (payload.size() < kNonceBytes + Aead::kTagBytes)
    return Error{Fault::corrupt, "age payload: cut off before any chunk"};
  Aead aead = age_payload_cipher(file_key, payload.substr(0, kNonceBytes));
  payload.remove_prefix(kNonceBytes);
  std::string plain;
  plain.reserve(std::min(payload.size(), kChunkBytes));
  for (std::uint64_t number = 0;; ++number) {
    const std::string_view sealed = payload.substr(0, kSealedChunkBytes);
    payload.remove_prefix(sealed.size());
    const bool last = payload.empty();
    plain.clear();
    if (!aead.open(age_chunk_nonce(number, last), "", sealed, plain)) {
      // Whole, but not what its place says: it is given out, as by a reader that cannot look ahead.
      const bool whole =
          sealed.size() == kSealedChunkBytes && aead.open(age_chunk_nonce(number, !last), "", sealed, plain);
      if (!whole)
        return Error{Fault::corrupt, "age payload: chunk {} (from byte {} of the plain text) was changed, cut or moved",
                     number, number * kChunkBytes};
      TRY(take(plain));
      if (last) return Error{Fault::corrupt, "age payload: cut off after chunk {}", number};
      return Error{Fault::corrupt, "age payload: {} bytes follow its end", payload.size()};
    }
    if (plain.empty() && number > 0) return Error{Fault::corrupt, "age payload: an empty chunk ends it"};
    if (!plain.empty()) TRY(take(plain));
    if (last) return {};
  }
}

Result<std::string> age_decrypt(std::string_view file, std::span<const AgeIdentity> identities) {
  std::string plain;
  plain.reserve(file.size());
  TRY(age_decrypt(file, identities, [&](std::string_view piece) -> Result<void> {
    plain.append(piece);
    return {};
  }));
  return plain;
}

}  // namespace enclave::crypto
