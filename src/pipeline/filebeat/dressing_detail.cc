#include "pipeline/filebeat/dressing_detail.h"

#include <algorithm>

#include "pipeline/charset.h"
#include "pipeline/filebeat/dressing.h"
#include "pipeline/filebeat/reader.h"
#include "pipeline/filebeat/zone.h"
#include "pipeline/regex.h"

namespace enclave::pipeline::filebeat {
namespace {

const std::vector<Parser>* parsers_of(const Input& input) {
  if (input.type == "filestream") return &input.filestream.parsers;
  return input.type == "journald" ? &input.journald.parsers : nullptr;
}

const Parser* parser_of(const Input& input, std::string_view kind) {
  const auto* parsers = parsers_of(input);
  if (parsers == nullptr) return nullptr;
  const auto found = std::ranges::find(*parsers, kind, &Parser::kind);
  return found == parsers->end() ? nullptr : &*found;
}

}  // namespace

const Json* json_of(const Input& input) {
  if (input.is_log() && input.log.has_json) return &input.log.json;
  const Parser* parser = parser_of(input, "ndjson");
  return parser == nullptr ? nullptr : &parser->ndjson;
}

const ContainerOptions* container_of(const Input& input) {
  if (input.type == "container" || input.type == "docker") return &input.container;
  const Parser* parser = parser_of(input, "container");
  return parser == nullptr ? nullptr : &parser->container;
}

const Multiline* multiline_of(const Input& input) {
  if (input.is_log() && input.log.has_multiline) return &input.log.multiline;
  const Parser* parser = parser_of(input, "multiline");
  return parser == nullptr ? nullptr : &parser->multiline;
}

const std::string& encoding_of(const Input& input) {
  return input.type == "filestream" ? input.filestream.encoding : input.log.encoding;
}

bool decodes_first(const Input& input) {
  const Json* const json = json_of(input);
  if (json == nullptr || json->message_key.empty() || multiline_of(input) == nullptr) return false;
  // Parts of containers' lines are put together after this.
  if (container_of(input) != nullptr || input.type == "journald") return false;
  return input.is_log() || stands_before(input, "ndjson", "multiline");
}

const Parser* syslog_parser_of(const Input& input) { return parser_of(input, "syslog"); }

bool stands_before(const Input& input, std::string_view first, std::string_view second) {
  const Parser *const one = parser_of(input, first), *const other = parser_of(input, second);
  return one != nullptr && other != nullptr && one < other;
}

Strings excluded_files(const Input& input) {
  Strings out;
  for (const auto& pattern : input.type == "filestream" ? input.filestream.exclude_files : input.log.exclude_files)
    if (glob_of(pattern).empty()) out.push_back(pattern);
  return out;
}

namespace {

void check_syslog(const Input& input, const FilterWorld& world, Diagnostics& diagnostics) {
  const Parser* const syslog = syslog_parser_of(input);
  if (syslog == nullptr) return;
  if (Zone(syslog->syslog.timezone, world.files, world.zones).get() == nullptr)
    diagnostics.error(syslog->place,
                      fmt::format("syslog: timezone: {} is no zone that this machine knows", syslog->syslog.timezone));
  for (const std::string_view other : {"multiline", "container"})
    if (stands_before(input, "syslog", other))
      diagnostics.error(syslog->place,
                        fmt::format("the parser syslog before {0} is not offered; put {0} first", other));
}

}  // namespace

bool check_dressing(const Config& /*config*/, const Input& input, const FilterWorld& world, Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.errors();
  const auto patterns = [&](const Strings& some, std::string_view name) {
    for (const auto& pattern : some)
      if (const auto made = Regex::compile(pattern); !made)
        diagnostics.error(input.place, fmt::format("{}: {}: {}", name, pattern, made.error().text()));
  };
  const bool stream = input.type == "filestream";
  patterns(stream ? input.filestream.include_lines : input.log.include_lines, "include_lines");
  patterns(stream ? input.filestream.exclude_lines : input.log.exclude_lines, "exclude_lines");
  patterns(excluded_files(input), "exclude_files");
  patterns(input.filestream.include_files, "prospector.scanner.include_files");
  for (const auto& parser : input.filestream.parsers) patterns(parser.patterns, "include_message");
  const std::string& encoding = encoding_of(input);
  if (is_utf16(encoding) && input.type == "stdin") {
    diagnostics.error(
        place_of(input.node, "encoding"),
        fmt::format("encoding: {} is read from files only; iconv(1) before stdin makes UTF-8 of it", encoding));
  } else if (!Charset::named(std::string(iconv_name(encoding)))) {
    diagnostics.error(place_of(input.node, "encoding"),
                      fmt::format("encoding: {} is not known on this machine", encoding));
  }
  check_syslog(input, world, diagnostics);
  return diagnostics.errors() == before;
}

}  // namespace enclave::pipeline::filebeat
