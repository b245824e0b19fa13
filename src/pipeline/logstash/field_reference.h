#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/document.h"

namespace enclave::pipeline::logstash {

/// What names a field of an event: "message", "[a][b]", "[@metadata][x]", "[tags][0]".
class FieldReference {
 public:
  enum class Mode : std::uint8_t {
    strict,  ///< since Logstash 7: what is not well formed is an error
    legacy,  ///< before: what is not well formed is the name of one field
  };
  /// config.field_reference.escape_style: how a name holds a bracket, as %5B and %5D or as &#91; and &#93;.
  enum class Escapes : std::uint8_t { none, percent, ampersand };

  using Segment = event::PathSegment;

  /// Fault::invalid with what is wrong and how it is written. An empty text is a field with an empty name.
  static Result<FieldReference> parse(std::string_view text, Mode mode = Mode::strict, Escapes escapes = Escapes::none);

  /// From the outside in; at least one. "@metadata" is the first one of what lies below it.
  const std::vector<Segment>& segments() const { return segments_; }
  /// "@metadata" itself or something in it, which no output writes.
  bool in_metadata() const { return segments_.front().name == "@metadata"; }
  /// The bracketed form, "[a][b]".
  std::string text() const;
  bool operator==(const FieldReference&) const = default;

 private:
  std::vector<Segment> segments_;
};

}  // namespace enclave::pipeline::logstash
