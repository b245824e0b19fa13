#include "pipeline/filebeat/choice.h"

#include <algorithm>

namespace enclave::pipeline::filebeat {

Choice::Choice(const std::vector<ChoiceRule>& rules, const std::string& last, const Place& place, bool lower_case,
               Diagnostics& diagnostics)
    : lower_case_(lower_case) {
  for (const auto& rule : rules) add(rule.format, &rule, rule.place, diagnostics);
  if (!last.empty()) add(last, nullptr, place, diagnostics);
}

void Choice::add(const std::string& format, const ChoiceRule* rule, const Place& place, Diagnostics& diagnostics) {
  auto compiled = EventFormat::compile(format);
  if (!compiled) return diagnostics.error(place, compiled.error().text());
  One& one = all_.emplace_back();
  one.format = std::move(*compiled);
  one.rule = rule;
  if (rule != nullptr && rule->when) one.judge = make_judge(*rule->when, diagnostics);
}

bool Choice::take(const One& one, const event::Document& event, std::string& into) const {
  into.clear();
  if (one.judge && !one.judge(event)) return false;
  const bool whole = one.format.append(event, into);
  if (!whole) into.clear();
  if (one.rule == nullptr) return !into.empty();
  if (!one.rule->mappings.empty() && !into.empty()) {
    const auto found = std::ranges::find(one.rule->mappings, into, &std::pair<std::string, std::string>::first);
    into = found == one.rule->mappings.end() ? "" : found->second;
  }
  if (into.empty()) into = one.rule->otherwise;
  return !into.empty();
}

void Choice::choose(const event::Document& event, std::string& into) const {
  if (std::ranges::none_of(all_, [&](const One& one) { return take(one, event, into); })) into.clear();
  if (!lower_case_) return;
  for (char& c : into)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
}

}  // namespace enclave::pipeline::filebeat
