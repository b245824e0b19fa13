#include "archive/sealer.h"

#include <algorithm>

#include "base/encoding.h"

namespace enclave::archive {
namespace {

// Small frames compress badly one by one: their common words are learnt anew each time.
constexpr std::uint64_t kSmallFrameBytes = 32 * 1024;
constexpr std::size_t kFewFrames = 8;
// All lines of a batch leaf but `src`: origins are at most 151 bytes, and stand in `origin` and in the object's key.
constexpr std::size_t kLeafHeadBytes = 1024;
constexpr std::size_t kSourceBytesMax = 4096;

// The leaf is text whose fields hold no white space. Inputs keep to that; what does not is written as %XX, so that a
// file's name can never stop the log.
std::string token(std::string_view text, bool position) {
  const bool utf8 = is_utf8(text);
  std::string out;
  for (std::size_t i = 0; i < text.size() && out.size() < kSourceBytesMax; ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    const bool dots = position && c == '.' && (i == 0 || i + 1 == text.size() || text[i + 1] == '.');
    if (byte <= 0x20 || byte == 0x7f || (!utf8 && byte >= 0x80) || dots || (position && text == "-"))
      out += fmt::format("%{:02X}", byte);
    else
      out += c;
  }
  while (!is_utf8(out)) out.pop_back();  // the bound may have cut a character
  if (out.empty() && !position) out = "unknown";
  return out;
}

LeafSource leaf_source(const event::SourceRange& range) {
  return {range.source, range.from, range.to, range.count, range.lost};
}

std::uint64_t saturated(std::uint64_t a, std::uint64_t b) {
  constexpr std::uint64_t kMax = (1ULL << 63) - 1;
  return a > kMax - std::min(b, kMax) ? kMax : a + b;
}

Result<std::string> object_of(std::span<const std::string> frames, std::uint64_t plain_bytes,
                              std::span<const crypto::AgeRecipient> recipients, Random& random) {
  std::vector<std::string_view> parts(frames.begin(), frames.end());
  std::string anew;
  if (frames.size() > kFewFrames && plain_bytes / frames.size() < kSmallFrameBytes) {
    std::string plain;
    plain.reserve(plain_bytes);
    for (const auto& frame : frames) plain += TRY(event::decompress(frame, plain_bytes - plain.size()));
    event::Compressor().frame(plain, anew);
    parts.assign(1, anew);
  }
  return crypto::age_encrypt(recipients, parts, random);
}

}  // namespace

void OpenBatch::add(std::uint64_t first_seq, std::span<const Digest> leaves, std::string frame,
                    std::uint64_t plain_bytes, std::int64_t wall_ns, std::int64_t boot_ns,
                    std::span<const event::SourceRange> sources) {
  if (empty()) first_wall_ns_ = wall_ns;
  last_wall_ns_ = wall_ns;
  last_boot_ns_ = boot_ns;
  if (!leaves.empty()) {
    if (count_ == 0) first_seq_ = first_seq;
    ENSURE(first_seq == first_seq_ + count_);
    records_.append_all(leaves);
    count_ += leaves.size();
    plain_bytes_ += plain_bytes;
    frame_bytes_ += frame.size();
    frames_.push_back(std::move(frame));
  }
  for (const auto& range : sources) {
    const std::string source = token(range.source, false);
    const std::string to = token(range.to, true);
    auto [known, fresh] = source_index_.try_emplace(source, sources_.size());
    if (fresh) {
      sources_.push_back({source, token(range.from, true), to, 0, 0, {}});
    } else {
      const auto& before = sources_[known->second];
      source_bytes_ -= leaf_source_bytes(before.source, before.from, before.to);
    }
    event::SourceRange& merged = sources_[known->second];
    merged.to = to;
    merged.count = saturated(merged.count, range.count);
    merged.lost = saturated(merged.lost, range.lost);
    source_bytes_ += leaf_source_bytes(merged.source, merged.from, merged.to);
  }
}

std::size_t OpenBatch::leaf_bytes() const { return kLeafHeadBytes + source_bytes_; }

Sealer::Sealer(Log& log, std::vector<crypto::AgeRecipient> recipients, std::string boot_id, Random& random)
    : log_(log), recipients_(std::move(recipients)), boot_id_(std::move(boot_id)), random_(random) {}

Result<void> Sealer::seal(OpenBatch& batch) {
  if (batch.empty()) return {};
  Leaf leaf;
  leaf.kind = LeafKind::batch;
  leaf.boot_id = boot_id_;
  leaf.boot_ns = std::max<std::int64_t>(batch.last_boot_ns_, 0);
  leaf.time_first_ns = batch.first_wall_ns_;
  leaf.time_last_ns = batch.last_wall_ns_;
  for (const auto& range : batch.sources_) leaf.sources.push_back(leaf_source(range));
  std::string object;
  if (batch.count_ > 0 && !batch.sealed_) {
    leaf.seq = {batch.first_seq_, batch.last_seq()};
    leaf.root = batch.records_.root();
    object = TRY(object_of(batch.frames_, batch.plain_bytes_, recipients_, random_));
  }
  if (!batch.sealed_) TRY(log_.append(leaf, object));
  batch.sealed_ = true;
  std::erase_if(leaf.sources, [](const LeafSource& each) { return each.lost == 0; });
  if (leaf.sources.empty()) return {};
  leaf.kind = LeafKind::gap;
  leaf.seq.reset();
  leaf.root.reset();
  leaf.reason = "what these sources lost was removed or overwritten before it could be read";
  TRY(log_.append(std::move(leaf), {}));
  return {};
}

Result<void> Sealer::heartbeat(std::int64_t wall_ns, std::int64_t boot_ns) {
  Leaf leaf;
  leaf.kind = LeafKind::heartbeat;
  leaf.boot_id = boot_id_;
  leaf.boot_ns = std::max<std::int64_t>(boot_ns, 0);
  leaf.time_first_ns = leaf.time_last_ns = wall_ns;
  TRY(log_.append(std::move(leaf), {}));
  return {};
}

}  // namespace enclave::archive
