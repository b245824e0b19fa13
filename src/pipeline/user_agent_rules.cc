#include <fmt/format.h>

#include <array>

#include "pipeline/config/yaml.h"
#include "pipeline/user_agent.h"

namespace enclave::pipeline {
namespace {

using Rule = UserAgentRules::Rule;
using Names = std::array<std::string_view, 5>;

constexpr std::size_t kRulesMax = 20'000;

std::string group_text(const Regex& regex, std::uint32_t number, std::string_view text) {
  const auto [begin, end] = regex.group(number);
  return begin == std::string_view::npos ? "" : std::string(text.substr(begin, end - begin));
}

/// `$1` to `$9` of a replacement; without one the group of that number.
std::string filled(const Rule& rule, std::uint32_t number, std::string_view text) {
  const std::string& replacement = rule.replacements[number - 1];
  if (replacement.empty()) return group_text(rule.regex, number, text);
  std::string out;
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    const bool group =
        replacement[i] == '$' && i + 1 < replacement.size() && replacement[i + 1] >= '1' && replacement[i + 1] <= '9';
    if (group) {
      out += group_text(rule.regex, static_cast<std::uint32_t>(replacement[++i] - '0'), text);
    } else {
      out += replacement[i];
    }
  }
  const std::size_t begin = out.find_first_not_of(' ');
  return begin == std::string::npos ? "" : out.substr(begin, out.find_last_not_of(' ') - begin + 1);
}

const Rule* first_of(const std::vector<Rule>& rules, std::string_view text) {
  for (const Rule& rule : rules)
    if (rule.regex.search(text) == Regex::Outcome::yes) return &rule;
  return nullptr;
}

UserAgent::Version version_of(const Rule& rule, std::string_view text) {
  return {filled(rule, 2, text), filled(rule, 3, text), filled(rule, 4, text), filled(rule, 5, text)};
}

Result<std::vector<Rule>> read_rules(const Node& root, std::string_view list, const Names& names) {
  std::vector<Rule> rules;
  const Node* const all = root.find(list);
  if (all == nullptr) return rules;
  const auto wrong = [](const Node& node, std::string_view what) {
    return Error{Fault::invalid, "{}:{}: {}", node.place.file, node.place.line, what};
  };
  if (all->kind != Node::Kind::list) return wrong(*all, fmt::format("{} is no list", list));
  if (all->items.size() > kRulesMax) return wrong(*all, fmt::format("more than {} rules", kRulesMax));
  for (const Node& item : all->items) {
    const Node* const pattern = item.find("regex");
    if (pattern == nullptr || pattern->kind != Node::Kind::scalar) return wrong(item, "a rule without a regex");
    const Node* const flag = item.find("regex_flag");
    const bool any_case = flag != nullptr && flag->scalar.find('i') != std::string::npos;
    auto regex = Regex::compile((any_case ? "(?i)" : "") + pattern->scalar);
    if (!regex) return wrong(*pattern, regex.error().text());
    Rule rule{std::move(*regex), {}};
    for (std::size_t i = 0; i < names.size(); ++i)
      if (const Node* const text = names[i].empty() ? nullptr : item.find(names[i]))
        rule.replacements[i] = text->scalar;
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace

Result<UserAgentRules> UserAgentRules::parse(std::string_view yaml, const std::string& name) {
  Diagnostics diagnostics;
  const Node root = parse_yaml(yaml, name, diagnostics);
  if (diagnostics.has_errors()) return Error{Fault::invalid, "{}", diagnostics.text()};
  UserAgentRules rules;
  rules.agents_ = TRY(read_rules(root, "user_agent_parsers",
                                 {"family_replacement", "v1_replacement", "v2_replacement", "v3_replacement", ""}));
  rules.systems_ = TRY(read_rules(
      root, "os_parsers",
      {"os_replacement", "os_v1_replacement", "os_v2_replacement", "os_v3_replacement", "os_v4_replacement"}));
  rules.devices_ = TRY(read_rules(root, "device_parsers", {"device_replacement", "", "", "", ""}));
  if (rules.agents_.empty())
    return Error{Fault::invalid, "{} has no user_agent_parsers: it is no regexes.yaml of ua-parser", name};
  return rules;
}

UserAgent UserAgentRules::read(std::string_view text) const {
  UserAgent agent;
  const auto name_of = [&](const Rule& rule) {
    std::string name = filled(rule, 1, text);
    return name.empty() ? std::string("Other") : name;
  };
  if (const Rule* const rule = first_of(agents_, text)) {
    agent.name = name_of(*rule);
    agent.version = version_of(*rule, text);
  }
  if (const Rule* const rule = first_of(systems_, text)) {
    agent.os = name_of(*rule);
    agent.os_version = version_of(*rule, text);
  }
  if (const Rule* const rule = first_of(devices_, text)) agent.device = name_of(*rule);
  return agent;
}

}  // namespace enclave::pipeline
