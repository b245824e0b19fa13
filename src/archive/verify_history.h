#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "archive/leaf.h"
#include "archive/verify_tiles.h"

/// Do the leaves tell one story? Record numbers without a gap, sources that go on where they stopped, a clock that
/// runs.
namespace enclave::archive {

class History {
 public:
  History(std::string origin, Findings& findings) : origin_(std::move(origin)), findings_(findings) {}

  /// The proven leaves in order. `key` is the bundle that holds them.
  void leaf(const Leaf& leaf, std::uint64_t index, const std::string& key);
  /// Here leaves are missing: what they were about is told from the leaves on either side.
  void lost(LostLeaves leaves);
  /// All leaves were given. Says which gaps nobody declared.
  void finish();
  /// Is the last leaf older than it may be?
  void stale(std::int64_t now_ns, std::int64_t after_ns);

  std::uint64_t records() const { return records_; }
  std::int64_t time_first_ns() const { return time_first_ns_; }
  std::int64_t time_last_ns() const { return time_last_ns_; }

 private:
  using Range = std::pair<std::uint64_t, std::uint64_t>;
  struct Moment {
    std::string boot_id;
    std::int64_t boot_ns = 0;
    std::int64_t wall_ns = 0;
  };
  struct SourceGap {
    std::string source;
    Finding finding;
  };
  void check_numbers(const Leaf& leaf);
  void check_sources(const Leaf& leaf);
  void check_clock(const Leaf& leaf);
  static std::string clock_text(const Moment& before, const Leaf& leaf);
  void declare(const Leaf& leaf);
  void settle_lost(const Leaf* next);
  bool declared(Range missing) const;

  std::string origin_;
  Findings& findings_;
  std::optional<Leaf> before_;
  Moment last_batch_, last_other_;
  std::optional<std::uint64_t> next_seq_;  ///< unknown behind a lost leaf, and where an origin continues another one
  std::uint64_t last_seq_ = 0;
  std::unordered_map<std::string, std::string> positions_;  ///< source → where its last batch ended
  std::vector<LostLeaves> lost_;
  std::vector<std::pair<Range, Finding>> number_gaps_;
  std::vector<SourceGap> source_gaps_;
  std::vector<Range> declared_numbers_;
  std::map<std::string, std::uint64_t> declared_sources_;  ///< source → index of its last gap leaf
  bool batch_lost_ = false;  ///< the batch before said that something was lost: its gap leaf follows
  std::uint64_t records_ = 0;
  std::int64_t time_first_ns_ = 0, time_last_ns_ = 0;
};

}  // namespace enclave::archive
