#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pipeline/logstash/date_pattern.h"
#include "pipeline/logstash/field_reference.h"

namespace enclave::pipeline::logstash {

/// A text with references, such as "%{[host][name]}-%{+YYYY.MM.dd}", taken apart once and put together for each event.
class TextReference {
 public:
  struct Part {
    enum class Kind : std::uint8_t {
      literal,
      field,  ///< %{f}: a missing field leaves `text`, "%{f}", in place
      epoch,  ///< %{+%s}: seconds of the event's time
      date,   ///< %{+…} by Joda, %{{…}} by java.time, both in UTC
      now,    ///< %{{TIME_NOW}}: the time of the clock, RFC 3339
    };
    Kind kind = Kind::literal;
    std::string text;  ///< of a literal; else the reference as written
    std::optional<FieldReference> field;
    std::optional<DatePattern> date;
  };
  static constexpr std::size_t kPartsMax = 1000;

  /// A "%{" that is never closed stays as it is. Fault::invalid for a field or a date pattern that is none.
  static Result<TextReference> compile(std::string_view text);

  const std::vector<Part>& parts() const { return parts_; }
  /// Without any reference: the same for each event.
  bool is_literal() const { return parts_.empty() || (parts_.size() == 1 && parts_[0].kind == Part::Kind::literal); }

  /// Appends the text for one event. `append_field(part, out)` appends the value of part.field, or returns false
  /// without having appended when there is none. Allocates only when `out` must grow.
  template <class AppendField>
  void append(std::int64_t event_ns, std::int64_t now_ns, AppendField&& append_field, std::string& out) const {
    for (const auto& part : parts_) {
      if (part.kind == Part::Kind::literal) {
        out += part.text;
      } else if (part.kind == Part::Kind::field) {
        if (!append_field(part, out)) out += part.text;
      } else {
        append_time(part, event_ns, now_ns, out);
      }
    }
  }

 private:
  void append_time(const Part& part, std::int64_t event_ns, std::int64_t now_ns, std::string& out) const;

  std::vector<Part> parts_;
  Timezone utc_ = Timezone::utc();
};

}  // namespace enclave::pipeline::logstash
