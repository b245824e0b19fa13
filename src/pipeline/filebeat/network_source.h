#pragma once

#include <memory>

#include "pipeline/filebeat/filebeat.h"
#include "pipeline/filter.h"
#include "pipeline/source.h"

namespace enclave::pipeline::filebeat {

/// The inputs tcp, udp, unix and syslog: events have the message, who sent it, and of syslog what it says. Null after a
/// mistake, which stands in the diagnostics.
std::unique_ptr<Source> make_network_source(const Config& config, const Input& input, const FilterWorld& world,
                                            Diagnostics& diagnostics);

}  // namespace enclave::pipeline::filebeat
