#pragma once

#include "event/batch.h"
#include "pipeline/file_content.h"

namespace enclave::pipeline {

/// Where the lines of a source are being cut out of its content.
struct LineCursor {
  std::uint64_t offset = 0;   ///< of the first byte of the first line that was not delivered
  std::uint64_t scanned = 0;  ///< there is no LF from `offset` up to here
  std::uint32_t sum = 0;      ///< sampled_sum() of the content before `offset`, if `summed`
  bool summed = true;
  char last = 0;  ///< the byte before `scanned`, once the line is long
};

/// What one pass over a source gave.
struct LinePass {
  std::uint64_t bytes = 0;  ///< looked at, for budgets
  std::uint64_t lines = 0;
  std::uint64_t cut = 0;  ///< of these, how many were longer than allowed
  bool at_end = false;
};

/// Cuts content into events without copying: reads it into the batch's memory and points there. Uses at most the
/// larger of 256 KiB and `line_bytes_max` of memory beyond the lines that it delivers.
class LineReader {
 public:
  /// `source`: index for Event::source. Events hold at most `line_bytes_max` bytes of a line; it is at least 1.
  LineReader(Content& content, std::size_t line_bytes_max, event::Batch& batch, std::uint32_t source)
      : content_(content), line_bytes_max_(line_bytes_max), batch_(batch), source_(source) {}

  /// Whole lines, until `bytes` were looked at or the content, known to reach up to `end` at least, is used up.
  /// After an error `pass` and `cursor` tell what was delivered before it.
  Result<void> read(LineCursor& cursor, std::uint64_t bytes, std::uint64_t end, LinePass& pass);

  /// The bytes from `offset` to `scanned` as a line that nothing ended. Nothing when there are none.
  Result<void> read_rest(LineCursor& cursor, LinePass& pass);

 private:
  Result<void> read_piece(LineCursor& cursor, std::uint64_t bytes, std::uint64_t end, LinePass& pass);
  Result<void> read_long(LineCursor& cursor, std::uint64_t bytes, LinePass& pass);
  Result<void> deliver(LineCursor& cursor, std::uint64_t end, bool cr, event::Eol eol, LinePass& pass);
  std::size_t cut_lines(std::string_view piece, std::size_t known, std::uint64_t offset, LinePass& pass);
  void add(std::string_view line, std::uint64_t offset, LinePass& pass);

  Content& content_;
  const std::size_t line_bytes_max_;
  event::Batch& batch_;
  const std::uint32_t source_;
};

}  // namespace enclave::pipeline
