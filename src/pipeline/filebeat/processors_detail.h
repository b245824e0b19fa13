#pragma once

#include <optional>

#include "pipeline/filebeat/processors.h"

/// For condition.cc and processors.cc alone.
namespace enclave::pipeline::filebeat {

std::optional<Condition> read_condition(Reader& reader, const Node& node);

}  // namespace enclave::pipeline::filebeat
