#include "cloud/encrypted_object.h"

#include <algorithm>

#include "base/encoding.h"

namespace enclave::cloud {
namespace {

constexpr std::string_view kFormat = "enclave-format";
constexpr std::string_view kBytes = "enclave-bytes";
constexpr std::string_view kSha256 = "enclave-sha256";
constexpr std::string_view kAge = "age";
constexpr std::string_view kPlain = "plain";
constexpr std::uint64_t kPartsMax = 10'000;
constexpr std::uint64_t kPartBytesMax = std::uint64_t{4} << 30;
constexpr std::uint64_t kPartBytesMin = 5 << 20;

}  // namespace

Pairs metadata_of(const PlainFacts& facts) {
  Pairs metadata{{std::string(kFormat), std::string(facts.encrypted ? kAge : kPlain)}};
  if (facts.bytes) metadata.emplace_back(kBytes, std::to_string(*facts.bytes));
  if (facts.sha256) metadata.emplace_back(kSha256, to_hex(bytes_of(*facts.sha256)));
  return metadata;
}

Result<PlainFacts> facts_in(const Pairs& metadata) {
  PlainFacts facts;
  for (const auto& [name, value] : metadata) {
    const auto wrong = [&, &name = name, &value = value] {
      return Error{Fault::corrupt, "the object's metadata says {}: \"{}\", which is nothing that enclave writes", name,
                   value.substr(0, 80)};
    };
    if (name == kFormat) {
      if (value != kAge && value != kPlain) return wrong();
      facts.encrypted = value == kAge;
    } else if (name == kBytes) {
      const auto bytes = parse_number(value);
      if (!bytes) return wrong();
      facts.bytes = *bytes;
    } else if (name == kSha256) {
      const auto digest = from_hex(value);
      if (!digest || digest->size() != 32) return wrong();
      facts.sha256.emplace();
      std::copy(digest->begin(), digest->end(), facts.sha256->begin());
    }
  }
  return facts;
}

std::optional<std::uint64_t> plain_bytes_of(const PlainFacts& facts, std::string_view head,
                                            std::uint64_t stored_bytes) {
  if (facts.bytes) return *facts.bytes;
  if (!head.starts_with(crypto::kAgeMagic)) return facts.encrypted ? std::nullopt : std::optional(stored_bytes);
  const auto header = crypto::parse_age_header(head);
  constexpr std::uint64_t kNonce = 16, kTag = 16;
  if (!header || stored_bytes < header->bytes + kNonce + kTag) return std::nullopt;
  const std::uint64_t payload = stored_bytes - header->bytes - kNonce;
  const std::uint64_t chunks = (payload - 1) / crypto::kAgeStreamSealedChunk + 1;
  return payload < chunks * kTag ? std::nullopt : std::optional(payload - chunks * kTag);
}

Result<Measured> measure_object(ObjectBucket& bucket, const std::string& key, const std::string& version,
                                S3Told& told) {
  // That of a file for 64 recipients.
  constexpr std::uint64_t kHeaderBytes = 8 << 10;
  ObjectPart part;
  PlainFacts facts;
  if (bucket.keeps_metadata()) {
    part.head = TRY(bucket.head(key, version, told));
    facts = TRY(facts_in(part.head.metadata));
  }
  if (!bucket.keeps_metadata() || (facts.encrypted && !facts.bytes)) {
    part = TRY(bucket.range(key, version, 0, kHeaderBytes, "", told));
    // It may be another one by now.
    facts = TRY(facts_in(part.head.metadata));
  }
  Measured measured;
  measured.encrypted = facts.encrypted || part.bytes.starts_with(crypto::kAgeMagic);
  measured.plain_bytes = plain_bytes_of(facts, part.bytes, part.head.info.bytes);
  measured.head = std::move(part.head);
  return measured;
}

Result<std::uint64_t> part_bytes_for(std::uint64_t plain_bytes, std::uint64_t wanted) {
  constexpr std::uint64_t kChunk = crypto::kAgeStreamChunk;
  std::uint64_t part = (std::max(wanted, kPartBytesMin) + kChunk - 1) / kChunk * kChunk;
  const std::uint64_t least = (plain_bytes / kPartsMax / kChunk + 1) * kChunk;
  if (plain_bytes / part >= kPartsMax) part = least;
  if (part > kPartBytesMax)
    return Error{Fault::limit, "an object of {} would need parts of more than 4 GiB", format_bytes(plain_bytes)};
  return part;
}

}  // namespace enclave::cloud
