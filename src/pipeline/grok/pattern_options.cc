#include "pipeline/grok/pattern_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/files.h"
#include "event/record.h"
#include "pipeline/glob.h"
#include "pipeline/grok/grok.h"

namespace enclave::pipeline::grok {
namespace {

constexpr std::size_t kShownBytesMax = 200;

/// Texts as JSON has them, so that tabs and line feeds can be seen.
std::string shown(std::string_view text) {
  if (text.size() <= kShownBytesMax) return event::json_text(text);
  return event::json_text(text.substr(0, kShownBytesMax)) + "…";
}

std::string joined(const std::vector<std::string>& parts, std::size_t from, std::size_t to) {
  std::string out;
  for (std::size_t i = from; i < to; ++i) out += parts[i];
  return out;
}

void explain_text(std::string_view field, std::string_view pattern, const PatternLibrary& library,
                  std::string_view text, std::vector<std::string>& out) {
  const auto told = explain(pattern, library, text);
  out.push_back(fmt::format("{}: {}", field, shown(pattern)));
  if (!told) return out.push_back(fmt::format("  {}", told.error().text()));
  const auto& parts = told->parts;
  if (told->matched == parts.size()) return out.push_back("  matches");
  if (told->end > told->begin)
    out.push_back(fmt::format("  {} is {}, up to byte {}", shown(joined(parts, 0, told->matched)),
                              shown(text.substr(told->begin, told->end - told->begin)), told->end));
  out.push_back(fmt::format("  {} is not {} {}", shown(joined(parts, told->matched, parts.size())),
                            told->matched == 0 ? "in" : "at the begin of", shown(text.substr(told->end))));
}

std::vector<std::string> texts_of(const event::Value* value) {
  std::vector<std::string> out;
  if (value == nullptr || value->is(event::Kind::null)) return {""};
  if (!value->is(event::Kind::list)) {
    append_text(*value, out.emplace_back());
    return out;
  }
  for (const auto& item : value->items()) append_text(item, out.emplace_back());
  return out;
}

}  // namespace

void add_pattern_files(logstash::PluginOptions& options, Files& files, std::string_view glob, PatternLibrary& library) {
  std::vector<std::string> paths;
  for (const auto& place : options.texts("patterns_dir")) {
    const auto info = files.info(place);
    if (!info) {
      options.mistake("patterns_dir", info.error().text());
    } else if (info->kind != FileKind::directory) {
      paths.push_back(place);
    } else if (const auto entries = files.list(place); entries) {
      std::vector<std::string> names;
      for (const auto& entry : *entries)
        if (entry.kind != FileKind::directory && component_matches(glob, entry.name)) names.push_back(entry.name);
      std::ranges::sort(names);
      for (const auto& name : names) paths.push_back(join_path(place, name));
    } else {
      options.mistake("patterns_dir", entries.error().text());
    }
  }
  if (paths.size() > kPatternFilesMax) options.mistake("patterns_dir", "more than 1000 files");
  paths.resize(std::min(paths.size(), kPatternFilesMax));
  for (const auto& path : paths) {
    if (const auto text = read_file(files, path, PatternLibrary::kFileBytesMax))
      library.add_file(*text);
    else
      options.mistake("patterns_dir", text.error().text());
  }
}

PatternLibrary read_library(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::string_view kModes[] = {"disabled", "v1", "v8"};
  const bool legacy = options.choice("ecs_compatibility", kModes, world.ecs_compatibility) == "disabled";
  PatternLibrary library(legacy ? Vocabulary::legacy : Vocabulary::ecs);
  add_pattern_files(options, world.files, options.text("patterns_files_glob", "*"), library);
  for (const auto& [name, expression] : options.pairs("pattern_definitions")) library.add(name, expression);
  return library;
}

std::vector<std::string> explain_filter(const logstash::Configuration& configuration, const logstash::Plugin& plugin,
                                        const FilterWorld& world, const event::Document& event) {
  Diagnostics none;  // the filter was made of these options before
  logstash::PluginOptions options(configuration, plugin, none);
  const PatternLibrary library = read_library(options, world);
  std::vector<std::string> out;
  for (const auto& [field, patterns] : options.hash("match")) {
    const auto reference = options.as_field("match", field);
    const event::Value* const value = event.find(reference.segments());
    if (value == nullptr) out.push_back(fmt::format("{}: is not there", field));
    for (const auto& text : texts_of(value))
      for (const auto& pattern : patterns) explain_text(field, pattern, library, text, out);
  }
  return out;
}

}  // namespace enclave::pipeline::grok
