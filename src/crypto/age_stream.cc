#include "crypto/age_stream.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/age_access.h"

namespace enclave::crypto {

static_assert(kAgeStreamChunk == kAgeChunkBytes && kAgeStreamSealedChunk == kAgeSealedChunkBytes);
static_assert(kAgeMagic == kAgeVersionLine);

Result<AgeWriter> AgeWriter::begin(std::span<const AgeRecipient> recipients, Random& random) {
  AgeBegun begun = TRY(begin_age_file(recipients, random));
  return AgeWriter(std::move(begun.preface), std::move(begun.file_key));
}

Result<AgeWriter> AgeWriter::resume(std::string preface, Secret file_key) {
  const AgeHeader header = TRY(parse_age_header(preface));
  if (preface.size() != header.bytes + kAgeNonceBytes || file_key.size() != kAgeFileKeyBytes)
    return Error{Fault::corrupt, "a kept age header or its key has the wrong length"};
  if (!is_age_key(preface, header, file_key))
    return Error{Fault::corrupt, "a kept age header and its key do not belong together"};
  return AgeWriter(std::move(preface), std::move(file_key));
}

std::uint64_t AgeWriter::file_bytes(std::uint64_t plain_bytes) const {
  return preface_.size() - kAgeNonceBytes + age_payload_bytes(plain_bytes);
}

void AgeWriter::seal(std::uint64_t first, std::string_view plain, bool last, std::string& out) const {
  ENSURE(last || (plain.size() % kAgeChunkBytes == 0 && !plain.empty()));
  Aead aead = age_payload_cipher(file_key_, std::string_view(preface_).substr(preface_.size() - kAgeNonceBytes));
  for (std::uint64_t number = first;; ++number) {
    const std::size_t begin = out.size();
    const std::string_view chunk = plain.substr(0, kAgeChunkBytes);
    out.append(chunk);
    plain.remove_prefix(chunk.size());
    aead.seal_tail(age_chunk_nonce(number, last && plain.empty()), "", out, begin);
    if (plain.empty()) return;
  }
}

Result<AgeReader> AgeReader::begin(std::string_view head, std::uint64_t file_bytes,
                                   std::span<const AgeIdentity> identities) {
  const AgeHeader header = TRY(parse_age_header(head));
  AgeReader reader;
  reader.file_key_ = TRY(open_age_header(head, header, identities));
  reader.preface_bytes_ = header.bytes + kAgeNonceBytes;
  if (head.size() < reader.preface_bytes_ || file_bytes < reader.preface_bytes_ + Aead::kTagBytes)
    return Error{Fault::corrupt, "age payload: cut off before any chunk"};
  reader.nonce_ = head.substr(header.bytes, kAgeNonceBytes);
  const std::uint64_t payload = file_bytes - reader.preface_bytes_;
  reader.chunks_ = (payload - 1) / kAgeSealedChunkBytes + 1;
  const std::uint64_t rest = payload - (reader.chunks_ - 1) * kAgeSealedChunkBytes;
  // Only a file of one chunk may have an empty one.
  if (rest < Aead::kTagBytes || (rest == Aead::kTagBytes && reader.chunks_ > 1))
    return Error{Fault::corrupt, "age payload: cut off: no age file has {} bytes", file_bytes};
  reader.plain_bytes_ = payload - reader.chunks_ * Aead::kTagBytes;
  return reader;
}

std::uint64_t AgeReader::offset_of(std::uint64_t chunk) const {
  if (chunk >= chunks_) return preface_bytes_ + plain_bytes_ + chunks_ * Aead::kTagBytes;
  return preface_bytes_ + chunk * kAgeSealedChunkBytes;
}

Result<void> AgeReader::open(std::uint64_t first, std::string_view sealed, std::string& out) const {
  Aead aead = age_payload_cipher(file_key_, nonce_);
  for (std::uint64_t number = first; !sealed.empty(); ++number) {
    const std::string_view chunk = sealed.substr(0, kAgeSealedChunkBytes);
    sealed.remove_prefix(chunk.size());
    const bool last = number + 1 == chunks_;
    if (number >= chunks_ || !aead.open(age_chunk_nonce(number, last), "", chunk, out))
      return Error{Fault::corrupt, "age payload: chunk {} (from byte {} of the plain text) was changed, cut or moved",
                   number, number * kAgeChunkBytes};
  }
  return {};
}

std::uint64_t age_preface_bytes(std::size_t recipients) {
  // "-> X25519 " and 43 characters, 43 characters; "--- " and 43 characters; the nonce.
  return kAgeVersionLine.size() + recipients * (10 + 43 + 1 + 43 + 1) + 4 + 43 + 1 + kAgeNonceBytes;
}

}  // namespace enclave::crypto
