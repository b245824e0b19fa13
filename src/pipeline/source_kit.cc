#include "pipeline/source_kit.h"

#include <array>

#include "io/host.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {

bool reads_ecs(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::string_view kModes[] = {"disabled", "v1", "v8"};
  return options.choice("ecs_compatibility", kModes, world.ecs_compatibility) != "disabled";
}

std::string codec_name(logstash::PluginOptions& options, std::string_view otherwise) {
  const logstash::Plugin* const written = options.plugin_value("codec");
  return written != nullptr ? written->name : options.text("codec", otherwise);
}

void accept_silently(logstash::PluginOptions& options, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) (void)options.text_if_set(name);
}

std::string host_name(Files& files) {
  const auto host = io::this_host(files);
  return host && !host->hostname.empty() ? host->hostname : "localhost";
}

KnownField::KnownField(std::string_view reference) {
  if (reference.empty()) return;
  path_ = logstash::FieldReference::parse(reference).value().segments();
}

std::string line_delimiter(logstash::PluginOptions& options) {
  const logstash::Plugin* const codec = options.plugin_value("codec");
  if (codec == nullptr || (codec->name != "line" && codec->name != "json_lines")) return "\n";
  // An empty one is a mistake that the codec itself tells.
  std::string delimiter = options.nested(*codec).text("delimiter", "\n");
  // Without escapes in the file these are backslashes and letters, which nobody means.
  const bool meant = delimiter == R"(\n)" || delimiter == R"(\r\n)" || delimiter == "\r\n";
  return delimiter.empty() || meant ? "\n" : delimiter;
}

void KnownField::fill(event::Document& into, event::Value value) const {
  if (path_.empty() || into.find(path_) != nullptr) return;
  into.set(path_, value);
}

void KnownField::put(event::Document& into, event::Value value) const {
  if (!path_.empty()) into.set(path_, value);
}

const event::Value* KnownField::find(const event::Document& in) const {
  return path_.empty() ? nullptr : in.find(path_);
}

std::string name_once(std::string_view kind, Random& random) {
  std::array<std::uint8_t, 4> number;
  random.fill(number);
  return fmt::format("{}@{:02x}{:02x}{:02x}{:02x}", kind, number[0], number[1], number[2], number[3]);
}

}  // namespace enclave::pipeline
