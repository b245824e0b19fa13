#include "pipeline/grok/pattern_library.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/options.h"
#include "pipeline/grok/pattern_tables.h"

namespace enclave::pipeline::grok {
namespace {

constexpr std::string_view kBlank = " \t\r\f\v";

std::string_view find_in(std::span<const Pattern> patterns, std::string_view name) {
  for (const Pattern& pattern : patterns)
    if (pattern.name == name) return pattern.expression;
  return {};
}

}  // namespace

std::span<const PatternFamily> pattern_families() {
  static const std::array kAll = {family_base, family_syslog, family_httpd, family_services, family_proxies};
  return kAll;
}

void PatternLibrary::add(std::string_view name, std::string_view expression) {
  if (!expression.empty()) added_.insert_or_assign(std::string(name), std::string(expression));
}

void PatternLibrary::add_file(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
    if (line.starts_with('#')) continue;
    const std::string_view name = line.substr(0, line.find_first_of(kBlank));
    line.remove_prefix(name.size());
    line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
    if (!name.empty()) add(name, line);
  }
}

std::string_view PatternLibrary::find(std::string_view name) const {
  if (const auto found = added_.find(name); found != added_.end()) return found->second;
  for (const PatternFamily& family : pattern_families()) {
    const auto own = find_in(vocabulary_ == Vocabulary::ecs ? family.ecs : family.legacy, name);
    if (!own.empty()) return own;
    if (const auto common = find_in(family.both, name); !common.empty()) return common;
  }
  return {};
}

std::string PatternLibrary::nearest_to(std::string_view name) const {
  std::vector<std::string_view> known;
  for (const auto& [own, expression] : added_) known.push_back(own);
  for (const PatternFamily& family : pattern_families()) {
    for (const Pattern& pattern : family.both) known.push_back(pattern.name);
    for (const Pattern& pattern : vocabulary_ == Vocabulary::ecs ? family.ecs : family.legacy)
      known.push_back(pattern.name);
  }
  return nearest(name, known);
}

}  // namespace enclave::pipeline::grok
