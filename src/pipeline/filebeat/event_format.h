#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/document.h"
#include "pipeline/logstash/date_pattern.h"

namespace enclave::pipeline::filebeat {

/// A text with references as Beats write them: %{[agent.version]}, %{[fields.env]:none} with what stands for a missing
/// field, and %{+yyyy.MM.dd} of the event's time in UTC. Immutable.
class EventFormat {
 public:
  /// Fault::invalid for a reference that is none.
  static Result<EventFormat> compile(std::string_view text);

  /// Appends the text for one event. False, with something appended, when a field without a stand-in is missing.
  bool append(const event::Document& event, std::string& out) const;
  /// The text itself, when it is the same for all events.
  std::optional<std::string_view> constant() const;

 private:
  struct Part {
    std::string text;  ///< of a literal; else the key of the field
    bool is_field = false;
    std::optional<std::string> otherwise;
    std::optional<logstash::DatePattern> date;
  };
  std::vector<Part> parts_;
};

}  // namespace enclave::pipeline::filebeat
