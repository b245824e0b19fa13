#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ports.h"
#include "pipeline/flow/letter.h"

namespace enclave::pipeline {

/// The lines of a file of letters, one after the other.
class LetterLines {
 public:
  static Result<LetterLines> open(Files& files, const std::string& path);

  /// Goes on at that byte, where a line begins.
  void seek(std::uint64_t offset) { offset_ = offset, pending_.clear(), used_ = 0; }
  /// Nothing beyond that byte is read.
  void end_at(std::uint64_t bytes) { bytes_ = bytes; }
  /// Without its end; the last one may have had none. Valid until the next call. Nothing: the file ends here.
  /// Fault::limit for a line longer than kLetterBytesMax.
  Result<std::optional<std::string_view>> next();
  /// Of the line that comes next.
  std::uint64_t offset() const { return offset_; }

 private:
  explicit LetterLines(std::unique_ptr<File> file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  std::unique_ptr<File> file_;
  std::string path_;
  std::string pending_;       ///< read, from the line before the next one on
  std::size_t used_ = 0;      ///< of pending_
  std::uint64_t offset_ = 0;  ///< of pending_[used_]
  std::uint64_t bytes_ = std::numeric_limits<std::uint64_t>::max();
};

}  // namespace enclave::pipeline
