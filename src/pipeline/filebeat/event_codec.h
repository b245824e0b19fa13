#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "pipeline/codec.h"
#include "pipeline/filebeat/filebeat.h"

namespace enclave::pipeline::filebeat {

/// Makes the codecs of output.file and output.console, one for each worker: JSON with @metadata, one event on each
/// line, or what `codec.format.string` says. `name` is that of the output. Empty after a mistake.
std::function<std::unique_ptr<Codec>()> event_codec(const Value& codec, std::string_view name, const Place& place,
                                                    Diagnostics& diagnostics);

}  // namespace enclave::pipeline::filebeat
