#pragma once

#include <cstdint>
#include <string_view>

#include "event/value.h"
#include "pipeline/filebeat/options.h"
#include "pipeline/multiline.h"

/// Lines as container engines write them: CRI's "TIME STREAM FLAGS TEXT" and Docker's JSON.
namespace enclave::pipeline::filebeat {

struct ContainerLine {
  std::string_view text, stream;
  std::int64_t wall_ns = 0;  ///< 0: the line does not tell
  bool goes_on = false;      ///< the engine cut it: the next one goes on with it
};

/// Reads what the rule below put together: the parts of one line, each on a line of its own. What is not of the format
/// makes it false; nothing else is read then. Texts are in the arena, or in `lines`.
bool read_container_lines(std::string_view lines, const std::string& format, event::JsonReader& json,
                          event::Arena& arena, ContainerLine& into);

/// Parts of lines that the engine cut belong to the next one.
MultilineRule rule_of_partial_lines();

}  // namespace enclave::pipeline::filebeat
