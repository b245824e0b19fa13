#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "archive/leaf.h"
#include "archive/verify.h"

namespace enclave::archive {

/// Gathers what is not simply in order, at most `max` findings. When there are more, the heavier ones are kept and the
/// others are counted, so a flood of notes cannot hide a violation. Thread-safe.
class Findings {
 public:
  Findings(std::string origin, std::size_t max) : origin_(std::move(origin)), max_(max) {}

  void add(Finding finding);
  /// About a key, or with an empty key about the whole log.
  void add(Verdict verdict, Weight weight, std::string key, std::string text);
  void add(Verdict verdict, Weight weight, std::string key, std::optional<std::uint64_t> index, std::string text);
  /// About what this leaf commits to: index, records, times and sources are taken from it.
  void add(Verdict verdict, Weight weight, std::string key, const Leaf& leaf, std::string text);

  Weight worst() const;
  std::uint64_t left_out() const;
  /// All of them: the heaviest first, then in order of index and key.
  std::vector<Finding> take();

 private:
  std::string origin_;
  std::size_t max_;
  mutable std::mutex mutex_;
  std::vector<Finding> findings_;
  std::array<std::uint64_t, 4> kept_{};  ///< by weight
  std::uint64_t left_out_ = 0;
  Weight worst_ = Weight::good;
};

/// Index, records, times and sources of a leaf, in a finding.
void describe_leaf(const Leaf& leaf, Finding& finding);

}  // namespace enclave::archive
