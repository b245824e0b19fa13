#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "event/record.h"

namespace enclave::sim {

/// What was written to the log files, and whether the archive holds just that.
/// A text is the content of one file from its first byte on: it begins when the file is made, or emptied. Every text
/// begins with a mark of its own, so that a record with position 0 tells which text its source reads.
class Account {
 public:
  struct Text {
    std::string path;  ///< where it was first written
    std::string bytes;
    bool may_lose = false;  ///< it was removed or emptied before it was surely read
  };

  /// Makes the next text and gives its mark, which must be written first.
  std::string begin(const std::string& path);
  void append(const std::string& path, std::string_view bytes);
  /// The file has another name now, and keeps its text.
  void rename(const std::string& from, const std::string& to);
  /// Nothing is written to it any more.
  void end(const std::string& path, bool may_lose);
  bool has(const std::string& path) const { return open_.contains(path); }
  const Text& text(const std::string& path) const { return texts_[open_.at(path)]; }
  std::vector<std::string> paths() const;
  std::uint64_t bytes() const { return bytes_; }

  /// Every text once, in order, byte by byte, under record numbers without a gap. What is not so is said, at most ten
  /// times.
  std::vector<std::string> check(const std::vector<event::Record>& records) const;

 private:
  struct Reading {
    std::size_t text = 0;
    std::uint64_t offset = 0;
  };
  void check_record(const event::Record& record, std::map<std::string, Reading>& readings,
                    std::vector<std::uint64_t>& read, std::vector<std::string>& wrong) const;
  const Text* find_mark(std::string_view bytes, std::size_t& index) const;

  std::vector<Text> texts_;
  std::map<std::string, std::size_t> open_;
  std::uint64_t bytes_ = 0;
};

}  // namespace enclave::sim
