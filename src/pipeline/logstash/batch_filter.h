#pragma once

#include <memory>
#include <string>

#include "pipeline/event_filter.h"
#include "pipeline/logstash/program.h"

namespace enclave::pipeline::logstash {

/// Runs a program's filters over what inputs read, and puts what they make of an event into its record as the member
/// `event` (docs/formats/record.md). `program` outlives it. `host`: this machine's name.
std::unique_ptr<EventFilter> batch_filter(Program& program, std::string host);

}  // namespace enclave::pipeline::logstash
