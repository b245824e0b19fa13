#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "event/batch.h"
#include "pipeline/file_content.h"

namespace enclave::pipeline {

/// How the lines of a file stand in its bytes.
struct LineCut {
  enum class Text : std::uint8_t {
    as_is,
    utf16le,  ///< events have the text in UTF-8; what is none becomes U+FFFD
    utf16be,
  };
  std::string end = "\n";     ///< ends a line, as the file has it: 1 to 8 bytes
  std::string before = "\r";  ///< belongs to the end when it stands right before it; empty: nothing does
  Text text = Text::as_is;    ///< of UTF-16, ends stand at even places only

  std::size_t unit() const { return text == Text::as_is ? 1 : 2; }
  bool is_usual() const { return text == Text::as_is && end == "\n" && before == "\r"; }
  /// LF and CR of UTF-16, or `end` alone, which is in UTF-8.
  static LineCut utf16(bool little_endian, std::string_view end_only = {});
};

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
  /// `source`: index for Event::source. Events hold at most `line_bytes_max` bytes of a line, as the file has it; it is
  /// at least 1. `cut` outlives the reader.
  LineReader(Content& content, std::size_t line_bytes_max, event::Batch& batch, std::uint32_t source,
             const LineCut& cut = kUsual)
      : content_(content),
        cut_(cut),
        usual_(cut.is_usual()),
        line_bytes_max_(std::max(line_bytes_max / cut.unit() * cut.unit(), cut.unit())),
        batch_(batch),
        source_(source) {}

  /// Whole lines, until `bytes` were looked at or the content, known to reach up to `end` at least, is used up.
  /// After an error `pass` and `cursor` tell what was delivered before it.
  Result<void> read(LineCursor& cursor, std::uint64_t bytes, std::uint64_t end, LinePass& pass);

  /// The bytes from `offset` to `scanned` as a line that nothing ended. Nothing when there are none.
  Result<void> read_rest(LineCursor& cursor, LinePass& pass);

 private:
  Result<void> read_piece(LineCursor& cursor, std::uint64_t bytes, std::uint64_t end, LinePass& pass);
  Result<void> read_long(LineCursor& cursor, std::uint64_t bytes, LinePass& pass);
  Result<void> deliver(LineCursor& cursor, std::uint64_t end, std::string_view ending, LinePass& pass);
  std::size_t cut_lines(std::string_view piece, std::size_t known, std::uint64_t offset, LinePass& pass);
  void add(std::string_view line, std::uint64_t offset, LinePass& pass);
  void add_event(std::string_view line, std::uint64_t cut_bytes, std::uint64_t offset, event::Eol eol, LinePass& pass);

  // The same for files whose lines do not end in LF, or CR LF.
  std::size_t find_end(std::string_view piece, std::size_t from, std::uint64_t offset) const;
  std::size_t cut_other_lines(std::string_view piece, std::size_t known, std::uint64_t offset, LinePass& pass);
  Result<void> read_other_long(LineCursor& cursor, std::uint64_t bytes, LinePass& pass);
  std::string_view plain_text(std::string_view line, std::uint64_t offset);
  void make_plain(std::size_t first);

  static const LineCut kUsual;
  Content& content_;
  const LineCut& cut_;
  const bool usual_;
  const std::size_t line_bytes_max_;
  event::Batch& batch_;
  const std::uint32_t source_;
};

}  // namespace enclave::pipeline
