#pragma once

#include <deque>
#include <optional>

#include "archive/search.h"

namespace enclave::archive {

/// True when the glob patterns of a search take this source.
bool source_matches(const std::vector<std::string>& patterns, const std::string& source);

/// Finds the matching records in the plain text of one object, given in pieces. One thread.
class Matcher {
 public:
  /// `check_source`, `check_time`: whether the leaf leaves it open if all records pass.
  Matcher(const SearchOptions& options, bool check_source, bool check_time);
  Result<void> feed(std::string_view piece);
  Result<void> finish();
  std::uint64_t bytes() const { return bytes_; }
  /// Oldest first; at most `limit` of the newest.
  std::deque<SearchHit> take() { return std::move(hits_); }

 private:
  Result<void> scan(std::string_view lines);
  Result<void> look_at(std::string_view line, std::string_view before);
  Result<void> find_context(std::string_view line, std::string_view before);
  bool may_match(std::string_view line) const;
  bool matches(const event::Record& record) const;

  const SearchOptions& options_;
  bool check_source_, check_time_;
  std::vector<std::string> needles_;  ///< as they stand in JSON; a line without one of them cannot match
  event::RecordReader reader_;
  std::string full_;                       ///< the full record that was read last
  std::optional<std::uint64_t> full_seq_;  ///< its number
  std::string rest_;
  std::deque<SearchHit> hits_;
  std::uint64_t bytes_ = 0;
};

}  // namespace enclave::archive
