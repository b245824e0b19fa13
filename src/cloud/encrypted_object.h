#pragma once

#include <optional>
#include <string>

#include "cloud/object_bucket.h"
#include "crypto/age_stream.h"
#include "crypto/digest.h"

/// What is stored with an object about its plain text (docs/formats/object.md).
namespace enclave::cloud {

struct PlainFacts {
  bool encrypted = false;
  std::optional<std::uint64_t> bytes;  ///< of the plain text
  std::optional<crypto::Digest> sha256;
};

/// "enclave-format", "enclave-bytes" and "enclave-sha256".
Pairs metadata_of(const PlainFacts& facts);
/// Foreign text: what cannot be read is Fault::corrupt. An object that others wrote has no facts.
Result<PlainFacts> facts_in(const Pairs& metadata);

/// Bytes of the plain text where it can be told without its key: by the metadata, else by `head`, the first bytes of
/// the object. Nothing when it is an age file that tells no size (another kind of recipient).
std::optional<std::uint64_t> plain_bytes_of(const PlainFacts& facts, std::string_view head, std::uint64_t stored_bytes);

/// What is known of an object and of its plain text, without its key.
struct Measured {
  ObjectHead head;
  bool encrypted = false;
  std::optional<std::uint64_t> plain_bytes;  ///< as plain_bytes_of() says
};
/// One request; a second one, of 8 KiB, where the metadata say "encrypted" and no size: such are streams, since
/// metadata go before the bytes. The size that the header and the length of the file tell is exact, and what age
/// authenticates.
Result<Measured> measure_object(ObjectBucket& bucket, const std::string& key, const std::string& version, S3Told& told);

/// Plain bytes of a part: `wanted` (whole chunks; at least 5 MiB), or more where the object would have more than
/// 10,000 parts. Fault::limit when even parts of 4 GiB are too many.
Result<std::uint64_t> part_bytes_for(std::uint64_t plain_bytes, std::uint64_t wanted);

}  // namespace enclave::cloud
