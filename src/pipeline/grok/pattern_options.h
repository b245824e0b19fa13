#pragma once

#include <string>
#include <vector>

#include "event/document.h"
#include "pipeline/filter.h"
#include "pipeline/grok/pattern_library.h"
#include "pipeline/logstash/plugin_options.h"

/// What plugins that take grok's patterns have in common.
namespace enclave::pipeline::grok {

inline constexpr std::size_t kPatternFilesMax = 1000;

/// Adds the patterns of the option `patterns_dir`: files, and of folders the files that `glob` matches, in the order
/// of their names. What cannot be read is a mistake of that option.
void add_pattern_files(logstash::PluginOptions& options, Files& files, std::string_view glob, PatternLibrary& library);

/// The patterns of a grok filter: the vocabulary of its `ecs_compatibility`, its `patterns_dir`, its
/// `pattern_definitions`.
PatternLibrary read_library(logstash::PluginOptions& options, const FilterWorld& world);

/// For people: how far each pattern of a grok filter that failed got on its event, a few lines each. Patterns are
/// compiled anew for each call.
std::vector<std::string> explain_filter(const logstash::Configuration& configuration, const logstash::Plugin& plugin,
                                        const FilterWorld& world, const event::Document& event);

}  // namespace enclave::pipeline::grok
