#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ports.h"
#include "event/batch.h"
#include "pipeline/codec.h"

/// Events of one batch and source often differ in their line and its offset only. Then one of them is made, encoded
/// and cut where these stand, and the others are written by copying: no event is made for a line.
namespace enclave::pipeline {

/// What stands in the event that is made, in place of the line and of the offset.
struct LineMarks {
  /// By chance: nobody can write a line or a configuration that holds them.
  static LineMarks make(Random& random);
  std::string line;         ///< letters: no codec writes them otherwise
  std::int64_t offset = 0;  ///< of 19 digits
};

/// Such events.
struct AlikeEvents {
  const event::Document& like;  ///< one of them, with the marks
  const LineMarks& marks;
  std::span<const event::Event> events;
};

/// What a codec writes, with gaps.
class LineForm {
 public:
  /// None when the codec may write a line otherwise than it stands (Codec::written()).
  static std::optional<LineForm> make(Codec& codec, const AlikeEvents& alike, FilterRun& run);
  /// Of JSON that was written otherwise.
  static std::optional<LineForm> cut(std::string_view json, const LineMarks& marks);

  /// Appends what the codec would write for each, and to `ends` where each of them ends.
  void append(std::span<const event::Event> events, std::string& out, std::vector<std::size_t>* ends = nullptr) const;

 private:
  enum class Gap : std::uint8_t { none, line, offset };
  struct Piece {
    std::string text;
    Gap after = Gap::none;
  };
  std::size_t room_for(const event::Event& event) const;
  char* write(const event::Event& event, char* to) const;
  void append_slowly(const event::Event& event, std::string& out) const;
  bool cut_at_marks(std::string_view text, const LineMarks& marks);

  std::vector<Piece> pieces_;
  std::size_t fixed_bytes_ = 0, gaps_ = 0;
  bool json_ = false;
};

}  // namespace enclave::pipeline
