#include "pipeline/flow/letter_lines.h"

#include <algorithm>

namespace enclave::pipeline {
namespace {
constexpr std::uint64_t kPart = 1 << 20;
}

Result<LetterLines> LetterLines::open(Files& files, const std::string& path) {
  return LetterLines(TRY(files.open(path)), path);
}

Result<std::optional<std::string_view>> LetterLines::next() {
  pending_.erase(0, std::exchange(used_, 0));
  std::size_t looked = 0;
  for (;;) {
    const std::size_t end = pending_.find('\n', looked);
    if (end != std::string::npos) {
      used_ = end + 1;
      offset_ += used_;
      return std::string_view(pending_).substr(0, end);
    }
    looked = pending_.size();
    if (looked > kLetterBytesMax)
      return Error{Fault::limit, "{}: the line at byte {} is longer than {} bytes", path_, offset_, kLetterBytesMax};
    const std::uint64_t at = offset_ + looked, room = bytes_ > at ? std::min(kPart, bytes_ - at) : 0;
    pending_.resize(looked + room);
    const std::size_t read = room == 0 ? 0 : TRY(file_->read_at(at, std::span(pending_).subspan(looked, room)));
    pending_.resize(looked + read);
    if (read > 0) continue;
    if (pending_.empty()) return std::optional<std::string_view>();
    used_ = pending_.size();
    offset_ += used_;
    return std::string_view(pending_);
  }
}

}  // namespace enclave::pipeline
