#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pipeline/filebeat/event_format.h"
#include "pipeline/filebeat/processing.h"

namespace enclave::pipeline::filebeat {

/// A list such as `indices`, made once for each worker: the first rule that has something for an event is taken.
class Choice {
 public:
  /// `key` is what the rules call their result, index or pipeline; `last` is the format after them, "" for none.
  /// Mistakes stand in the diagnostics.
  Choice(const std::vector<ChoiceRule>& rules, const std::string& last, const Place& place, bool lower_case,
         Diagnostics& diagnostics);

  /// Replaces `into`; empty when no rule has anything.
  void choose(const event::Document& event, std::string& into) const;

 private:
  struct One {
    EventFormat format;
    const ChoiceRule* rule = nullptr;  ///< null: the last one
    Judge judge;                       ///< empty: for all events
  };
  void add(const std::string& format, const ChoiceRule* rule, const Place& place, Diagnostics& diagnostics);
  bool take(const One& one, const event::Document& event, std::string& into) const;

  std::vector<One> all_;
  const bool lower_case_;
};

}  // namespace enclave::pipeline::filebeat
