#include "archive/verify_history.h"

#include <algorithm>

#include "base/time.h"

namespace enclave::archive {
namespace {

// Steps of the clock below this are everyday corrections.
constexpr std::int64_t kClockToleranceNs = 5'000'000'000;
// What a leaf calls the sources that it has no room to name (docs/formats/leaf.md).
constexpr std::string_view kOtherSources = "sources-left-out";
constexpr std::size_t kPositionsMax = 1'000'000;
constexpr std::size_t kGapsMax = 100'000;

Finding about(const Leaf& leaf, Verdict verdict, Weight weight, std::string text) {
  Finding finding{};
  describe_leaf(leaf, finding);
  finding.verdict = verdict;
  finding.weight = weight;
  finding.text = std::move(text);
  return finding;
}

bool loses(const Leaf& leaf) {
  return std::any_of(leaf.sources.begin(), leaf.sources.end(), [](const LeafSource& s) { return s.lost > 0; });
}

std::string lost_text(const Leaf& leaf) {
  std::string text;
  for (const LeafSource& source : leaf.sources)
    if (source.lost > 0 && text.size() < 500) text += fmt::format(" {} lost {}.", source.source, source.lost);
  return text;
}

}  // namespace

void History::leaf(const Leaf& leaf, std::uint64_t index, const std::string& key) {
  if (leaf.index != index || leaf.origin != origin_) {
    findings_.add(Verdict::forked, Weight::violated, key, index,
                  fmt::format("The leaf at {} says that it is leaf {} of {}: a leaf of another history, signed here.",
                              index, leaf.index, leaf.origin));
    return lost({index, index, {}});
  }
  settle_lost(&leaf);
  if (time_first_ns_ == 0) time_first_ns_ = leaf.time_first_ns;
  time_last_ns_ = leaf.time_last_ns;
  check_numbers(leaf);
  check_sources(leaf);
  check_clock(leaf);
  declare(leaf);
  before_ = leaf;
}

void History::check_numbers(const Leaf& leaf) {
  // An origin that continues another one continues its numbers as well.
  if (leaf.kind == LeafKind::fork) next_seq_.reset();
  if (leaf.index == 0) next_seq_ = 1;
  if (!leaf.seq) return;
  const auto [first, last] = *leaf.seq;
  if (leaf.kind == LeafKind::gap) {
    declared_numbers_.push_back(*leaf.seq);
    // With these records went what they said of the positions.
    if (last >= next_seq_.value_or(first)) positions_.clear();
    if (next_seq_ && first <= *next_seq_ && last >= *next_seq_) next_seq_ = last + 1;
    last_seq_ = std::max(last_seq_, last);
    return;
  }
  if (next_seq_ && first > *next_seq_) {
    const Range missing{*next_seq_, first - 1};
    Finding finding = about(leaf, Verdict::gap, Weight::violated,
                            fmt::format("The records {} to {} are missing before this leaf, and no gap leaf says why.",
                                        missing.first, missing.second));
    finding.seq = missing;
    if (before_) finding.time_first_ns = before_->time_last_ns;
    finding.time_last_ns = leaf.time_first_ns;
    if (number_gaps_.size() < kGapsMax) number_gaps_.emplace_back(missing, std::move(finding));
  } else if (next_seq_ && first < *next_seq_) {
    findings_.add(
        about(leaf, Verdict::gap, Weight::violated,
              fmt::format("The record numbers go back: {} was expected. Records with the same number stand in "
                          "the log twice.",
                          *next_seq_)));
  }
  next_seq_ = last + 1;
  last_seq_ = std::max(last_seq_, last);
  records_ += last - first + 1;
}

void History::check_sources(const Leaf& leaf) {
  if (positions_.size() > kPositionsMax) positions_.clear();
  for (const LeafSource& source : leaf.sources) {
    const auto [known, first_time] = positions_.try_emplace(source.source, source.to);
    if (first_time) continue;
    if (leaf.kind == LeafKind::batch && known->second != source.from && source_gaps_.size() < kGapsMax) {
      Finding finding = about(leaf, Verdict::gap, Weight::violated,
                              fmt::format("The source was read up to {} and goes on at {}; no gap leaf says why.",
                                          known->second.empty() ? "its beginning" : known->second,
                                          source.from.empty() ? "its beginning" : source.from));
      finding.sources = {source.source};
      source_gaps_.push_back({source.source, std::move(finding)});
    }
    known->second = source.to;
  }
  const bool others = std::any_of(leaf.sources.begin(), leaf.sources.end(),
                                  [](const LeafSource& source) { return source.source == kOtherSources; });
  if (others) positions_.clear();
}

/// A batch has the times at which its lines were read, any other leaf those of its writing; what a host reads before it
/// is switched off is sealed behind the next `boot` leaf. So batches are compared with batches, and the others with
/// all.
void History::check_clock(const Leaf& leaf) {
  if (leaf.kind == LeafKind::gap || leaf.kind == LeafKind::expire) return;
  const bool batch = leaf.kind == LeafKind::batch;
  std::string text;
  for (Moment* before : {&last_batch_, &last_other_}) {
    if (before->boot_id.empty() || !text.empty() || (batch && before == &last_other_)) continue;
    text = clock_text(*before, leaf);
  }
  (batch ? last_batch_ : last_other_) = {leaf.boot_id, leaf.boot_ns, leaf.time_last_ns};
  if (!text.empty()) findings_.add(about(leaf, Verdict::clock, Weight::note, std::move(text)));
}

std::string History::clock_text(const Moment& before, const Leaf& leaf) {
  const auto seconds = [](std::int64_t ns) {
    return fmt::format("{:.1f} s", static_cast<double>(ns < 0 ? -ns : ns) / 1e9);
  };
  const std::int64_t step = leaf.time_first_ns - before.wall_ns;
  if (leaf.boot_id == before.boot_id) {
    if (leaf.boot_ns < before.boot_ns)
      return "The time since boot goes back within one boot, which no clock does: two machines write this log, or one "
             "was set back to a snapshot.";
    const std::int64_t drift = (leaf.time_last_ns - leaf.boot_ns) - (before.wall_ns - before.boot_ns);
    if (drift < -kClockToleranceNs || drift > kClockToleranceNs)
      return fmt::format(
          "The wall clock was set {} by {} between this leaf and the one before it. Order and time since boot are not "
          "affected; wall times are.",
          drift < 0 ? "back" : "forward", seconds(drift));
  }
  if (step < -kClockToleranceNs)
    return fmt::format("The wall clock is {} behind that of the leaf before.", seconds(step));
  return {};
}

void History::declare(const Leaf& leaf) {
  if (batch_lost_ && leaf.kind != LeafKind::gap && before_)
    findings_.add(
        about(*before_, Verdict::gap, Weight::note, "The host says that something was lost:" + lost_text(*before_)));
  batch_lost_ = leaf.kind == LeafKind::batch && loses(leaf);
  if (leaf.kind == LeafKind::gap) {
    for (const LeafSource& source : leaf.sources) declared_sources_[source.source] = leaf.index;
    findings_.add(
        about(leaf, Verdict::gap, Weight::note, "Declared by the host: " + leaf.reason + "." + lost_text(leaf)));
  } else if (leaf.kind == LeafKind::fork) {
    findings_.add(about(leaf, Verdict::forked, Weight::note,
                        fmt::format("Declared by the host: this log continues {} ({}).",
                                    leaf.previous.substr(0, leaf.previous.find(' ')), leaf.reason)));
  }
}

void History::lost(LostLeaves leaves) { lost_.push_back(std::move(leaves)); }

/// What the lost leaves were about lies between the leaf before and the leaf behind them.
void History::settle_lost(const Leaf* next) {
  if (lost_.empty()) return;
  for (LostLeaves& leaves : lost_) {
    Finding& finding = leaves.finding;
    if (finding.text.empty()) continue;
    if (next != nullptr && next->seq && next->seq->first > last_seq_ + 1)
      finding.seq = {last_seq_ + 1, next->seq->first - 1};
    if (before_) finding.time_first_ns = before_->time_last_ns;
    if (next != nullptr) finding.time_last_ns = next->time_first_ns;
    findings_.add(std::move(finding));
  }
  lost_.clear();
  next_seq_.reset();
  positions_.clear();
}

bool History::declared(Range missing) const {
  std::uint64_t covered = missing.first;
  for (const Range& range : declared_numbers_)
    if (range.first <= covered && range.second >= covered) covered = range.second + 1;
  return covered > missing.second;
}

void History::finish() {
  settle_lost(nullptr);
  if (batch_lost_ && before_)
    findings_.add(
        about(*before_, Verdict::gap, Weight::note, "The host says that something was lost:" + lost_text(*before_)));
  std::sort(declared_numbers_.begin(), declared_numbers_.end());
  for (auto& [missing, finding] : number_gaps_)
    if (!declared(missing)) findings_.add(std::move(finding));
  for (SourceGap& gap : source_gaps_) {
    const auto declaration = declared_sources_.find(gap.source);
    if (declaration == declared_sources_.end() || declaration->second < *gap.finding.index)
      findings_.add(std::move(gap.finding));
  }
}

void History::stale(std::int64_t now_ns, std::int64_t after_ns) {
  if (after_ns <= 0 || !before_ || now_ns - before_->time_last_ns <= after_ns) return;
  Finding finding =
      about(*before_, Verdict::stale, Weight::inconclusive,
            fmt::format("The last leaf is of {}, longer ago than {}. The host has stopped, cannot reach the "
                        "bucket, or somebody shows an old copy.",
                        format_time(before_->time_last_ns), format_duration(Nanoseconds(after_ns))));
  finding.sources.clear();
  findings_.add(std::move(finding));
}

}  // namespace enclave::archive
