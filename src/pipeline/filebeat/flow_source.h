#pragma once

#include <memory>
#include <optional>

#include "pipeline/filebeat/filebeat.h"
#include "pipeline/filter.h"
#include "pipeline/source.h"

/// Filebeat's inputs as sources of a flow.
namespace enclave::pipeline::filebeat {

/// The input over ours of that kind. Events have the line as "message" and where it stood under the names of the
/// generation; make_dressing() does the rest. Null after a mistake, which stands in the diagnostics.
std::unique_ptr<Source> make_source(const Config& config, const Input& input, const FilterWorld& world,
                                    Diagnostics& diagnostics);

/// How lines are put together before they are made events; none: they are not.
std::optional<MultilineRule> multiline_rule(const Input& input);

}  // namespace enclave::pipeline::filebeat
