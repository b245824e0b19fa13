#include <algorithm>

#include "pipeline/logstash/lint_detail.h"
#include "pipeline/logstash/text_reference.h"

namespace enclave::pipeline::logstash {
namespace {

using lint_detail::Linter;
using lint_detail::Section;
using lint_detail::texts_of;

const std::string* text_setting(const Plugin& plugin, std::string_view name) {
  const auto* attribute = find(plugin, name);
  return attribute == nullptr ? nullptr : text_of(attribute->value);
}

/// The texts of a value, wherever in it.
template <class Visit>
void each_text(const Value& value, Visit&& visit) {
  if (const auto* text = std::get_if<String>(&value.data)) visit(*text, value.position);
  if (const auto* array = std::get_if<Array>(&value.data))
    for (const auto& item : array->items) each_text(item, visit);
  if (const auto* hash = std::get_if<Hash>(&value.data))
    for (const auto& entry : hash->entries) {
      each_text(entry.key, visit);
      each_text(entry.value, visit);
    }
}

constexpr std::string_view kOnSuccess[] = {"add_field", "remove_field", "add_tag", "remove_tag"};

void lint_grok(Linter& linter, const Plugin& plugin) {
  const auto matches = find_all(plugin, "match");
  if (matches.empty()) {
    const auto action = std::find_if(std::begin(kOnSuccess), std::end(kOnSuccess),
                                     [&](std::string_view name) { return find(plugin, name) != nullptr; });
    linter.add(
        "grok-without-match", plugin.position,
        fmt::format("grok without \"match\" never succeeds, so {} and each event is tagged _grokparsefailure",
                    action == std::end(kOnSuccess) ? "it does nothing" : fmt::format("its {} is never done", *action)),
        "write match => { \"message\" => \"…\" }, or use mutate to change fields");
  }
  for (const auto* match : matches)
    each_text(match->value, [&](const String& text, const Position& position) {
      const std::string& pattern = text.text;
      if (pattern.find("%{") == std::string::npos && pattern.find('(') == std::string::npos) return;
      const bool anchored = pattern.starts_with('^') || pattern.starts_with("\\A") || pattern.ends_with('$') ||
                            pattern.starts_with("%{COMBINEDAPACHELOG") || pattern.starts_with("%{COMMONAPACHELOG") ||
                            pattern.starts_with("%{SYSLOG") || pattern.starts_with("%{HTTPD_");
      if (!anchored)
        linter.add("grok-unanchored", position,
                   "without ^ and $ a line that does not match is tried from each of its characters",
                   "begin the pattern with ^ and end it with $");
      const bool shadows =
          pattern.find(":message}") != std::string::npos || pattern.find("?<message>") != std::string::npos;
      if (shadows && texts_of(plugin, "overwrite").empty())
        linter.add("grok-shadows-message", position, "a capture named message makes a list of the old and the new text",
                   "add overwrite => [\"message\"], or name the capture otherwise");
      if (pattern.find("%{GREEDYDATA}%{") != std::string::npos || pattern.find(".*.*") != std::string::npos)
        linter.add("grok-greedy", position, "two parts side by side can both take anything, which is slow",
                   "use DATA or NOTSPACE for the first one");
    });
}

bool names_offset(std::string_view pattern) {
  bool quoted = false;
  for (const char c : pattern) {
    quoted = quoted != (c == '\'');
    if (!quoted && (c == 'Z' || c == 'z')) return true;
  }
  return false;
}

bool has_letter(std::string_view pattern, std::string_view letters) {
  bool quoted = false;
  for (const char c : pattern) {
    quoted = quoted != (c == '\'');
    if (!quoted && letters.find(c) != std::string_view::npos) return true;
  }
  return false;
}

void lint_date(Linter& linter, const Plugin& plugin) {
  const auto* match = find(plugin, "match");
  if (match == nullptr) {
    linter.add("date-without-match", plugin.position, "date without \"match\" does nothing",
               "write match => [\"field\", \"pattern\"]");
    return;
  }
  const auto* array = std::get_if<Array>(&match->value.data);
  if (array == nullptr) return;
  if (array->items.size() < 2)
    linter.add("date-match-short", match->position, "match names a field, but no pattern",
               "write match => [\"field\", \"pattern\"]");
  for (std::size_t i = 1; i < array->items.size(); ++i) {
    const auto* text = std::get_if<String>(&array->items[i].data);
    if (text == nullptr) continue;
    const std::string& pattern = text->text;
    const Position& position = array->items[i].position;
    constexpr std::string_view kSpecial[] = {"ISO8601", "UNIX", "UNIX_MS", "TAI64N"};
    if (std::find(std::begin(kSpecial), std::end(kSpecial), pattern) != std::end(kSpecial)) continue;
    if (const auto compiled = DatePattern::compile(pattern, DatePattern::Language::joda); !compiled) {
      linter.add("date-pattern", position, compiled.error().text(), "look at Joda's letters");
      continue;
    }
    if (!names_offset(pattern) && find(plugin, "timezone") == nullptr)
      linter.add("date-without-timezone", position,
                 "the pattern has no offset and no timezone is set, so times are taken as this machine's",
                 "add timezone => \"Europe/Berlin\", or whatever the writer of the lines uses");
    if (has_letter(pattern, "Y") && !has_letter(pattern, "G"))
      linter.add("date-year-of-era", position, "Y is the year of the era, which cannot be negative and is rarely meant",
                 "write yyyy");
    if (!has_letter(pattern, "yYx") && has_letter(pattern, "MdD"))
      linter.add("date-without-year", position, "the pattern has no year, so it is guessed around New Year",
                 "let the writer of the lines add the year");
    if (has_letter(pattern, "D") && has_letter(pattern, "M"))
      linter.add("date-day-of-year", position, "D is the day of the year", "write dd for the day of the month");
    if (has_letter(pattern, "h") && !has_letter(pattern, "a"))
      linter.add("date-half-day", position, "h goes from 1 to 12, and nothing says which half of the day", "write HH");
  }
}

void lint_texts(Linter& linter, const Plugin& plugin) {
  constexpr std::string_view kNoReferences[] = {"match", "code", "gsub", "init", "mapping", "pattern_definitions"};
  for (const auto& attribute : plugin.attributes) {
    if (std::find(std::begin(kNoReferences), std::end(kNoReferences), attribute.name) != std::end(kNoReferences))
      continue;
    each_text(attribute.value, [&](const String& text, const Position& position) {
      if (text.text.find("%{") == std::string::npos) return;
      const auto compiled = TextReference::compile(text.text);
      if (!compiled) return linter.add("text-reference", position, compiled.error().text(), "mend the reference");
      for (const auto& part : compiled->parts()) {
        if (part.kind != TextReference::Part::Kind::date) continue;
        const bool java = part.text.starts_with("%{{");
        const std::string_view pattern(part.text);
        if (has_letter(pattern, "D") && has_letter(pattern, "M"))
          linter.add("date-day-of-year", position, fmt::format("in {} D is the day of the year", part.text),
                     "write dd for the day of the month");
        if (java ? has_letter(pattern, "Y") && !has_letter(pattern, "w")
                 : has_letter(pattern, "x") && !has_letter(pattern, "w"))
          linter.add("week-year", position,
                     fmt::format("{} names the year of the week, which differs at New Year", part.text),
                     java ? "write yyyy" : "write YYYY");
        if (has_letter(pattern, "m") && !has_letter(pattern, "HhKk") && has_letter(pattern, "yY"))
          linter.add("date-minutes", position, fmt::format("in {} m is the minute", part.text),
                     "write MM for the month");
      }
    });
  }
}

void lint_s3(Linter& linter, const Plugin& plugin) {
  const auto* endpoint = text_setting(plugin, "endpoint");
  if (endpoint == nullptr) return;
  const Position& position = find(plugin, "endpoint")->value.position;
  if (endpoint->starts_with("http://")) {
    const bool tls_port = endpoint->find(":443") != std::string::npos || endpoint->find(":8443") != std::string::npos;
    linter.add("s3-plain-http", position,
               tls_port ? "http:// speaks plainly to a port where TLS is spoken"
                        : "http:// sends logs and signatures for everybody to read",
               "write https://");
  }
  if (find(plugin, "region") == nullptr)
    linter.add("s3-region", position, "no region is set, so us-east-1 signs the requests",
               "add region => with the name that the store uses");
  const auto* additional = find(plugin, "additional_settings");
  bool path_style = false;
  if (additional != nullptr)
    if (const auto* hash = std::get_if<Hash>(&additional->value.data))
      for (const auto& entry : hash->entries) {
        const auto *key = text_of(entry.key), *value = text_of(entry.value);
        path_style =
            path_style || (key != nullptr && value != nullptr && *key == "force_path_style" && *value == "true");
      }
  if (!path_style && endpoint->find("amazonaws.com") == std::string::npos)
    linter.add("s3-path-style", position,
               "the bucket becomes a part of the host's name, which few stores of one's own have",
               "add additional_settings => { force_path_style => true }");
}

void lint_settings(Linter& linter, const Plugin& plugin) {
  std::vector<std::string> seen;
  for (const auto& attribute : plugin.attributes) {
    const bool twice = std::find(seen.begin(), seen.end(), attribute.name) != seen.end();
    const bool scalar = text_of(attribute.value) != nullptr;
    if (twice && scalar)
      linter.add("setting-twice", attribute.position,
                 fmt::format("\"{}\" stands twice, so both become one list", attribute.name),
                 "leave one of them, or write a list");
    seen.push_back(attribute.name);
  }
}

}  // namespace

void lint_plugin(Linter& linter, const Plugin& plugin, Section section) {
  if (plugin.name == "grok") lint_grok(linter, plugin);
  if (plugin.name == "date") lint_date(linter, plugin);
  if (plugin.name == "s3" && section != Section::filter) lint_s3(linter, plugin);
  if (section == Section::filter && plugin.name == "mutate" && plugin.attributes.empty())
    linter.add("empty-plugin", plugin.position, "mutate without settings does nothing", "remove it");
  lint_settings(linter, plugin);
  lint_texts(linter, plugin);
}

}  // namespace enclave::pipeline::logstash
