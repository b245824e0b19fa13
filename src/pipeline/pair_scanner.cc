#include "pipeline/pair_scanner.h"

#include <algorithm>

namespace enclave::pipeline {

void Splitter::begin(std::string_view text) {
  none_left_ = exhausted_ = false;
  next_ = next_bytes_ = 0;
  if (regex_) {
    next_ = std::string_view::npos;
    length_at(text, 0);
  }
}

std::size_t Splitter::length_at(std::string_view text, std::size_t at) {
  if (!regex_) return at < text.size() && set_.has(text[at]) ? 1 : 0;
  if (none_left_) return 0;
  if (next_ == std::string_view::npos || next_ < at) {
    const auto outcome = regex_->search(text, at);
    exhausted_ = outcome == Regex::Outcome::limit;
    const auto [begin, end] = regex_->group(0);
    none_left_ = outcome != Regex::Outcome::yes || begin == std::string_view::npos;
    if (none_left_) return 0;
    next_ = begin;
    next_bytes_ = end - begin;
  }
  return next_ == at ? next_bytes_ : 0;
}

void PairScanner::begin(std::string_view text) {
  text_ = text;
  at_ = 0;
  options_.fields.begin(text);
  options_.values.begin(text);
}

std::size_t PairScanner::spaces_from(std::size_t at) const {
  while (at < text_.size() && text_[at] == ' ') ++at;
  return at;
}

std::optional<PairScanner::Pair> PairScanner::next() {
  while (at_ < text_.size()) {
    const std::size_t from = at_;
    std::size_t values = 0;
    while (at_ < text_.size()) {
      values = options_.values.length_at(text_, at_);
      if (values > 0 || options_.fields.length_at(text_, at_) > 0) break;
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    at_ = std::min(at_, text_.size());
    std::size_t behind = at_;
    if (values == 0 && !options_.strict) {
      behind = spaces_from(at_);
      values = behind < text_.size() ? options_.values.length_at(text_, behind) : 0;
    }
    if (values == 0 || at_ == from) {
      // Here no pair begins: go on behind the splitter. Strictly, what follows one of values is no key.
      const std::size_t bytes = std::max<std::size_t>({values, options_.fields.length_at(text_, at_), 1});
      if (at_ == from || values == 0) at_ += bytes;
      if (options_.strict && values > 0) bare_value();
      continue;
    }
    const std::string_view key = text_.substr(from, at_ - from);
    at_ = behind + values;
    if (!options_.strict) at_ = spaces_from(at_);
    if (const auto value = enclosed_value()) return Pair{key, *value};
    const std::string_view value = bare_value();
    return Pair{key, value};
  }
  return std::nullopt;
}

bool PairScanner::is_end(std::size_t at) {
  if (at >= text_.size() || options_.fields.length_at(text_, at) > 0) return true;
  if (options_.strict || text_[at] != ' ') return false;
  const std::size_t behind = spaces_from(at);
  return behind == text_.size() || options_.fields.length_at(text_, behind) > 0;
}

std::optional<std::string_view> PairScanner::enclosed_value() {
  if (at_ >= text_.size()) return std::nullopt;
  constexpr std::string_view kOpen = "\"'([<", kClose = "\"')]>";
  const std::size_t kind = kOpen.find(text_[at_]);
  if (kind == std::string_view::npos || (kind > 1 && !options_.brackets)) return std::nullopt;
  std::size_t end = at_ + 1;
  while (end < text_.size() && text_[end] != kClose[kind]) end += text_[end] == '\\' ? 2 : 1;
  if (end >= text_.size() || !is_end(end + 1)) return std::nullopt;
  const auto value = text_.substr(at_ + 1, end - at_ - 1);
  at_ = end + 1;
  return value;
}

std::string_view PairScanner::bare_value() {
  const std::size_t from = std::min(at_, text_.size());
  while (at_ < text_.size() && options_.fields.length_at(text_, at_) == 0) at_ += text_[at_] == '\\' ? 2 : 1;
  at_ = std::min(at_, text_.size());
  return text_.substr(from, at_ - from);
}

}  // namespace enclave::pipeline
