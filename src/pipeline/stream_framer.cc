#include "pipeline/stream_framer.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace enclave::pipeline {
namespace {
constexpr std::size_t kDigitsMax = 10;
constexpr std::uint64_t kCountTimes = 16;
}  // namespace

Result<void> StreamFramer::feed(std::string_view piece, event::Batch& batch, std::vector<Message>& into,
                                std::size_t held_max) {
  held_max = std::min(held_max, bytes_max_);
  while (!piece.empty()) {
    if (state_ == State::start) {
      const bool counted = framing_ == Framing::lines_or_counted && piece[0] >= '1' && piece[0] <= '9';
      state_ = counted ? State::count : State::line;
    }
    if (state_ == State::count) {
      piece.remove_prefix(take_count(piece));
      if (state_ == State::counted && left_ > kCountTimes * bytes_max_)
        return Error{Fault::limit, "a message of {} bytes was announced, of which at most {} are taken", left_,
                     bytes_max_};
      if (state_ == State::line) hold(digits_, held_max);
      if (state_ != State::count) digits_.clear();
      continue;
    }
    if (state_ == State::counted) {
      const std::size_t part = std::min<std::uint64_t>(left_, piece.size());
      left_ -= part;
      if (left_ > 0) {
        hold(piece, held_max);
        return {};
      }
      end(piece.substr(0, part), event::Eol::none, batch, into);
      piece.remove_prefix(part);
      continue;
    }
    const std::size_t at = find_end(piece);
    if (at == std::string_view::npos) {
      hold(piece, held_max);
      return {};
    }
    end(piece.substr(0, at), event::Eol::lf, batch, into);
    piece.remove_prefix(at + 1);
  }
  return {};
}

/// Where the last byte of the delimiter stands, whose other bytes may have come before; npos for nowhere.
std::size_t StreamFramer::find_end(std::string_view piece) const {
  const std::string_view before(delimiter_.data(), delimiter_.size() - 1);
  for (std::size_t from = 0; from < piece.size();) {
    const void* const found = std::memchr(piece.data() + from, delimiter_.back(), piece.size() - from);
    if (found == nullptr) return std::string_view::npos;
    const std::size_t at = static_cast<std::size_t>(static_cast<const char*>(found) - piece.data());
    if (before.empty()) return at;
    const std::size_t here = std::min(at, before.size()), earlier = before.size() - here;
    if (piece.substr(at - here, here) == before.substr(earlier) && held_bytes_ >= earlier &&
        std::string_view(held_last_).ends_with(before.substr(0, earlier)))
      return at;
    from = at + 1;
  }
  return std::string_view::npos;
}

/// Digits and a space are a count; anything else is the beginning of a line.
std::size_t StreamFramer::take_count(std::string_view piece) {
  std::size_t at = 0;
  while (at < piece.size() && piece[at] >= '0' && piece[at] <= '9' && digits_.size() < kDigitsMax)
    digits_ += piece[at++];
  if (at == piece.size()) return at;
  if (piece[at] != ' ' || digits_.size() >= kDigitsMax) {
    state_ = State::line;
    return at;
  }
  std::from_chars(digits_.data(), digits_.data() + digits_.size(), left_);
  state_ = State::counted;
  return at + 1;
}

void StreamFramer::hold(std::string_view part, std::size_t held_max) {
  if (part.empty()) return;
  // One more for a CR that may turn out to be part of the line's end. What is cut once stays cut.
  const std::size_t room = held_.size() == held_bytes_ ? held_max + 1 - std::min(held_max + 1, held_.size()) : 0;
  held_.append(part.substr(0, room));
  held_bytes_ += part.size();
  held_last_ += part.substr(part.size() - std::min(part.size(), delimiter_.size()));
  if (held_last_.size() > delimiter_.size()) held_last_.erase(0, held_last_.size() - delimiter_.size());
}

void StreamFramer::end(std::string_view last, event::Eol eol, event::Batch& batch, std::vector<Message>& into) {
  Message& message = into.emplace_back();
  std::uint64_t bytes = last.size();
  std::string_view text = last;
  char final = last.empty() ? '\0' : last.back();
  if (held_bytes_ > 0) {
    hold(last, bytes_max_);
    bytes = held_bytes_;
    text = batch.store(held_);
    final = held_last_.back();
  }
  message.eol = eol;
  if (eol == event::Eol::lf) bytes -= delimiter_.size() - 1;
  if (delimiter_ == "\n" && eol == event::Eol::lf && bytes > 0 && final == '\r') {
    --bytes;
    message.eol = event::Eol::crlf;
  }
  message.bytes = text.substr(0, std::min<std::uint64_t>({bytes, bytes_max_, text.size()}));
  message.cut_bytes = bytes - message.bytes.size();
  state_ = State::start;
  held_.clear();
  if (held_.capacity() > 64 * 1024) held_.shrink_to_fit();
  held_bytes_ = 0;
  held_last_.clear();
}

void StreamFramer::finish(event::Batch& batch, std::vector<Message>& into) {
  if (state_ == State::count) hold(digits_, bytes_max_);
  digits_.clear();
  if (held_bytes_ > 0) end({}, event::Eol::none, batch, into);
  state_ = State::start;
  left_ = 0;
}

}  // namespace enclave::pipeline
