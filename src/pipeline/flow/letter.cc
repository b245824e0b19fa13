#include "pipeline/flow/letter.h"

#include <simdjson.h>

#include "base/encoding.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "event/record.h"
#include "event/value.h"

namespace enclave::pipeline {
namespace {

using simdjson::dom::element;
constexpr std::string_view kEventMember = ",\"event\":";

/// What stands in a letter as it is: an object or a list, on one line.
bool is_document(std::string_view text) {
  if (text.empty() || (text[0] != '{' && text[0] != '[') || text.find_first_of("\r\n") != std::string_view::npos)
    return false;
  simdjson::dom::parser parser;
  return parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
}

std::string text_of(const element& object, std::string_view name) {
  std::string_view text;
  return object[name].get_string().get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

/// The document as it was written, not as simdjson would write it.
std::string document_of(std::string_view line, const element& event) {
  const std::size_t at = line.find(kEventMember), end = line.rfind('}');
  if (at != std::string_view::npos && end != std::string_view::npos && end > at + kEventMember.size()) {
    const std::string_view text = line.substr(at + kEventMember.size(), end - at - kEventMember.size());
    if (is_document(text)) return std::string(text);
  }
  return simdjson::minify(event);
}

Result<std::string> event_of(std::string_view line, const element& letter) {
  if (const std::string base64 = text_of(letter, "base64"); !base64.empty()) return from_base64(base64);
  element event;
  if (letter["event"].get(event) != simdjson::SUCCESS) return Error{Fault::corrupt, "a dead letter without its event"};
  if (event.is_object() || event.is_array()) return document_of(line, event);
  std::string_view text;
  if (event.get_string().get(text) == simdjson::SUCCESS) return std::string(text);
  return std::string(simdjson::minify(event));
}

}  // namespace

std::string format_letter(const Letter& letter) {
  using event::json_text;
  std::string line = "{\"time\":\"";
  event::append_time_ms(letter.wall_ns, line);
  line += fmt::format(R"(","plugin":{},"output":{},"reason":{})", json_text(letter.plugin), json_text(letter.output),
                      json_text(letter.reason));
  if (letter.events != 1) line += fmt::format(R"(,"events":{})", letter.events);
  if (letter.anew) line += R"(,"anew":true)";
  if (!letter.to.empty()) line += fmt::format(R"(,"to":{})", json_text(letter.to));
  if (!is_utf8(letter.event)) line += fmt::format(R"(,"base64":"{}")", to_base64(letter.event));
  line += kEventMember;
  line += is_document(letter.event) ? letter.event : json_text(letter.event);
  return line + "}\n";
}

Result<Letter> parse_letter(std::string_view line) {
  if (line.size() > kLetterBytesMax) return Error{Fault::limit, "a dead letter of {} bytes", line.size()};
  simdjson::dom::parser parser;
  element root;
  if (line.empty() || parser.parse(line.data(), line.size()).get(root) != simdjson::SUCCESS || !root.is_object())
    return Error{Fault::corrupt, "this is no dead letter: {}", line.substr(0, 100)};
  Letter letter;
  letter.wall_ns = TRY(parse_time(text_of(root, "time")));
  letter.plugin = text_of(root, "plugin");
  letter.output = text_of(root, "output");
  letter.reason = text_of(root, "reason");
  letter.to = text_of(root, "to");
  if (std::uint64_t events = 0; root["events"].get_uint64().get(events) == simdjson::SUCCESS)
    letter.events = static_cast<std::uint32_t>(std::min<std::uint64_t>(events, UINT32_MAX));
  if (bool anew = false; root["anew"].get_bool().get(anew) == simdjson::SUCCESS) letter.anew = anew;
  letter.event = TRY(event_of(line, root));
  return letter;
}

std::string letter_id(std::string_view line) {
  const auto digest = crypto::sha256(line);
  return to_hex(bytes_of(digest)).substr(0, 8);
}

std::string format_taken(std::string_view name) { return fmt::format("{{\"taken\":{}}}\n", event::json_text(name)); }

std::optional<std::string> parse_taken(std::string_view line) {
  constexpr std::string_view kBegin = "{\"taken\":\"", kEnd = "\"}";
  if (!line.starts_with(kBegin) || !line.ends_with(kEnd) || line.size() < kBegin.size() + kEnd.size())
    return std::nullopt;
  line.remove_prefix(kBegin.size());
  line.remove_suffix(kEnd.size());
  return std::string(line);
}

}  // namespace enclave::pipeline
