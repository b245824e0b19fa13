#include "archive/verify_records.h"

#include <algorithm>
#include <unordered_map>

#include "archive/merkle.h"
#include "base/time.h"
#include "event/compress.h"
#include "event/record.h"

namespace enclave::archive {
namespace {

// A batch closes by size far below these; they bound what hostile bytes can cost.
constexpr std::uint64_t kPlainBytesMax = 64ULL << 30;
constexpr std::size_t kLineBytesMax = 256U << 20;

/// Records come in pieces of any size; complete lines are read, the rest waits for the next piece.
class RecordCheck {
 public:
  explicit RecordCheck(const Leaf& leaf) : leaf_(leaf), next_seq_(leaf.seq->first) {}

  Result<void> feed(std::string_view piece) {
    while (!piece.empty()) {
      const std::size_t end = piece.find('\n');
      if (end == std::string_view::npos) {
        if (rest_.size() + piece.size() > kLineBytesMax) return Error{Fault::limit, "a line longer than 256 MiB"};
        rest_ += piece;
        return {};
      }
      if (rest_.empty()) {
        TRY(line(piece.substr(0, end)));
      } else {
        rest_ += piece.substr(0, end);
        TRY(line(rest_));
        rest_.clear();
      }
      piece.remove_prefix(end + 1);
    }
    return {};
  }

  Result<void> finish() {
    if (!rest_.empty()) return Error{Fault::conflict, "the last record is not ended by LF"};
    if (next_seq_ != leaf_.seq->second + 1)
      return Error{Fault::conflict, "it ends at record {}; the leaf says {}", next_seq_ - 1, leaf_.seq->second};
    if (tree_.root() != *leaf_.root) return Error{Fault::conflict, "the root over its records is not the leaf's"};
    for (const LeafSource& source : leaf_.sources)
      if (const std::uint64_t found = counts_[source.source]; found != source.count)
        return Error{Fault::conflict, "{} records of {}; the leaf says {}", found, source.source, source.count};
    std::uint64_t named = 0;
    for (const LeafSource& source : leaf_.sources) named += source.count;
    if (named != tree_.size()) return Error{Fault::conflict, "it holds records of sources that the leaf does not name"};
    return {};
  }
  std::uint64_t records() const { return tree_.size(); }

 private:
  Result<void> line(std::string_view text) {
    auto read = reader_.read(text);
    if (!read) return std::move(read).error().within(fmt::format("record {}", next_seq_));
    if (read->seq != next_seq_)
      return Error{Fault::conflict, "a record has number {} where {} was expected", read->seq, next_seq_};
    if (read->boot_id != leaf_.boot_id || read->boot_ns < boot_ns_ || read->boot_ns > leaf_.boot_ns)
      return Error{Fault::conflict, "record {} is not of the boot, or not of the time since it, that the leaf says",
                   next_seq_};
    boot_ns_ = read->boot_ns;
    ++next_seq_;
    tree_.append(leaf_hash(text));
    // Hostile bytes could name a source a record; a leaf cannot name more than fit it.
    if (auto count = counts_.find(read->source); count != counts_.end()) {
      ++count->second;
    } else if (counts_.size() <= leaf_.sources.size()) {
      counts_.emplace(std::move(read->source), 1);
    }
    return {};
  }

  const Leaf& leaf_;
  std::uint64_t next_seq_;
  std::int64_t boot_ns_ = 0;
  std::string rest_;
  CompactTree tree_;
  event::RecordReader reader_;
  std::unordered_map<std::string, std::uint64_t> counts_;
};

}  // namespace

std::optional<RecordProblem> check_records(const Leaf& leaf, std::string_view object,
                                           std::span<const crypto::AgeIdentity> identities, std::uint64_t& records) {
  if (!leaf.seq || !leaf.root)
    return RecordProblem{Verdict::modified, Weight::violated, "The leaf names an object, but no records in it."};
  RecordCheck check(leaf);
  event::Decompressor decompressor;
  auto opened = crypto::age_decrypt(object, identities, [&](std::string_view plain) {
    return decompressor.feed(plain, kPlainBytesMax, [&](std::string_view piece) { return check.feed(piece); });
  });
  if (opened) opened = decompressor.finish();
  if (opened) opened = check.finish();
  records += check.records();
  if (opened) return std::nullopt;
  const std::string& text = opened.error().text();
  switch (opened.error().fault()) {
    case Fault::denied:
      return RecordProblem{Verdict::unreadable, Weight::inconclusive,
                           "Its stored bytes are whole, but none of the given identities opens it: " + text + ".",
                           true};
    case Fault::conflict:
      return RecordProblem{
          Verdict::modified, Weight::violated,
          "Its stored bytes are those that were sealed, but what they hold is not what the leaf says: " + text + "."};
    default:
      return RecordProblem{Verdict::unreadable, Weight::violated,
                           "Its stored bytes are those that were sealed, but they cannot be read: " + text + "."};
  }
}

}  // namespace enclave::archive
