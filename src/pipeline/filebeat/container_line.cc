#include "pipeline/filebeat/container_line.h"

#include <cstring>
#include <vector>

#include "base/time.h"

namespace enclave::pipeline::filebeat {
namespace {

using event::Kind;

std::string_view word_of(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

bool read_time(std::string_view text, ContainerLine& into) {
  if (into.wall_ns != 0) return true;  // that of the first part
  const auto time = parse_time(text);
  if (!time) return false;
  into.wall_ns = *time;
  return true;
}

bool read_cri(std::string_view line, ContainerLine& into, std::string_view& text) {
  if (!read_time(word_of(line), into)) return false;
  into.stream = word_of(line);
  if (into.stream != "stdout" && into.stream != "stderr") return false;
  // Old versions of CRI-O have no flags.
  const std::string_view flags = line.substr(0, line.find(' '));
  const std::string_view first = flags.substr(0, flags.find(':'));
  if (first == "P" || first == "F") word_of(line);
  into.goes_on = first == "P";
  text = line;
  return true;
}

bool read_docker(std::string_view line, event::JsonReader& json, event::Arena& arena, ContainerLine& into,
                 std::string_view& text) {
  const auto object = json.read(line, arena);
  if (!object || !object->is(Kind::map)) return false;
  const auto text_of = [&](std::string_view name) {
    const event::Value* const found = object->find(name);
    return found != nullptr && found->is(Kind::text) ? found->text() : std::string_view();
  };
  if (!read_time(text_of("time"), into)) return false;
  into.stream = text_of("stream");
  text = text_of("log");
  into.goes_on = !text.ends_with('\n');
  if (!into.goes_on) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return true;
}

}  // namespace

bool read_container_lines(std::string_view lines, const std::string& format, event::JsonReader& json,
                          event::Arena& arena, ContainerLine& into) {
  into = {};
  bool first = true;
  while (first || !lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    const bool docker = format == "docker" || (format == "auto" && line.starts_with('{'));
    std::string_view text;
    if (!(docker ? read_docker(line, json, arena, into, text) : read_cri(line, into, text))) return false;
    if (first) {
      into.text = text;
    } else {
      const auto joined = arena.allocate_text(into.text.size() + text.size());
      if (!into.text.empty()) std::memcpy(joined.data(), into.text.data(), into.text.size());
      if (!text.empty()) std::memcpy(joined.data() + into.text.size(), text.data(), text.size());
      into.text = {joined.data(), joined.size()};
    }
    first = false;
  }
  return true;
}

MultilineRule rule_of_partial_lines() {
  MultilineRule rule;
  rule.pattern = R"(^(?:\S++ (?:stdout|stderr) P(?:[: ]|$)|\{"log":"(?:[^"\\]|\\[^n]|\\n(?!"))*+"))";
  rule.after = false;
  rule.lines_max = 10'000;
  return rule;
}

}  // namespace enclave::pipeline::filebeat
