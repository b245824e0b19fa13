#include "archive/verify_findings.h"

#include <algorithm>
#include <tuple>

namespace enclave::archive {
namespace {

// A leaf can name thousands of sources; the first ones tell a person where to look.
constexpr std::size_t kSourcesShown = 20;

}  // namespace

void describe_leaf(const Leaf& leaf, Finding& finding) {
  finding.index = leaf.index;
  finding.seq = leaf.seq;
  finding.time_first_ns = leaf.time_first_ns;
  finding.time_last_ns = leaf.time_last_ns;
  finding.sources.clear();
  for (const LeafSource& source : leaf.sources) {
    if (finding.sources.size() == kSourcesShown) {
      finding.sources.push_back(fmt::format("and {} more", leaf.sources.size() - kSourcesShown));
      break;
    }
    finding.sources.push_back(source.source);
  }
}

void Findings::add(Finding finding) {
  finding.origin = origin_;
  const std::lock_guard lock(mutex_);
  worst_ = std::max(worst_, finding.weight);
  const auto weight = static_cast<std::size_t>(finding.weight);
  if (findings_.size() >= max_) {
    ++left_out_;
    std::size_t lighter = 0;
    while (lighter < weight && kept_[lighter] == 0) ++lighter;
    if (lighter == weight) return;
    const auto victim = std::find_if(findings_.begin(), findings_.end(), [&](const Finding& other) {
      return static_cast<std::size_t>(other.weight) == lighter;
    });
    --kept_[lighter];
    *victim = std::move(finding);
  } else {
    findings_.push_back(std::move(finding));
  }
  ++kept_[weight];
}

void Findings::add(Verdict verdict, Weight weight, std::string key, std::string text) {
  add(verdict, weight, std::move(key), std::optional<std::uint64_t>{}, std::move(text));
}

void Findings::add(Verdict verdict, Weight weight, std::string key, std::optional<std::uint64_t> index,
                   std::string text) {
  Finding finding{};
  finding.verdict = verdict;
  finding.weight = weight;
  finding.key = std::move(key);
  finding.index = index;
  finding.text = std::move(text);
  add(std::move(finding));
}

void Findings::add(Verdict verdict, Weight weight, std::string key, const Leaf& leaf, std::string text) {
  Finding finding{};
  finding.verdict = verdict;
  finding.weight = weight;
  finding.key = std::move(key);
  finding.text = std::move(text);
  describe_leaf(leaf, finding);
  add(std::move(finding));
}

Weight Findings::worst() const {
  const std::lock_guard lock(mutex_);
  return worst_;
}

std::uint64_t Findings::left_out() const {
  const std::lock_guard lock(mutex_);
  return left_out_;
}

std::vector<Finding> Findings::take() {
  const std::lock_guard lock(mutex_);
  std::stable_sort(findings_.begin(), findings_.end(), [](const Finding& a, const Finding& b) {
    return std::tuple(b.weight, a.index.value_or(0), std::string_view(a.key)) <
           std::tuple(a.weight, b.index.value_or(0), std::string_view(b.key));
  });
  return std::move(findings_);
}

}  // namespace enclave::archive
