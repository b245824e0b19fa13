#include "pipeline/filebeat/dressing_detail.h"

#include <algorithm>

#include "pipeline/charset.h"
#include "pipeline/filebeat/dressing.h"
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

bool is_utf16(const std::string& encoding) { return encoding.starts_with("utf-16"); }

std::string iconv_name(const std::string& encoding) {
  if (encoding.empty() || encoding == "plain" || encoding == "utf-8" || encoding == "nop") return "UTF-8";
  const auto after = [&](std::string_view prefix) { return encoding.substr(prefix.size()); };
  if (encoding.starts_with("windows")) return "CP" + after("windows");
  if (encoding.starts_with("iso8859-")) {
    std::string number = after("iso8859-");
    while (!number.empty() && number.back() >= 'a') number.pop_back();
    return "ISO-8859-" + number;
  }
  if (encoding == "koi8r") return "KOI8-R";
  if (encoding == "koi8u") return "KOI8-U";
  if (encoding == "shift-jis") return "SHIFT_JIS";
  if (encoding == "macintosh-cyrillic") return "MAC-CYRILLIC";
  if (encoding.starts_with("ebcdic-")) return "IBM" + after("ebcdic-");
  std::string upper = encoding;
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return upper;
}

Strings excluded_files(const Input& input) {
  Strings out;
  for (const auto& pattern : input.type == "filestream" ? input.filestream.exclude_files : input.log.exclude_files)
    if (glob_of(pattern).empty()) out.push_back(pattern);
  return out;
}

bool check_dressing(const Config& /*config*/, const Input& input, Diagnostics& diagnostics) {
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
  if (is_utf16(encoding)) {
    diagnostics.error(input.place, fmt::format("encoding: {} is not yet offered", encoding));
  } else if (!Charset::named(iconv_name(encoding))) {
    diagnostics.error(input.place, fmt::format("encoding: {} is not known on this machine", encoding));
  }
  if (const auto* parsers = parsers_of(input))
    for (const auto& parser : *parsers)
      if (parser.kind == "syslog") diagnostics.error(parser.place, "the parser syslog is not yet offered");
  return diagnostics.errors() == before;
}

}  // namespace enclave::pipeline::filebeat
