#include "pipeline/filebeat/event_format.h"
#include "pipeline/filebeat/processors.h"
#include "pipeline/filebeat/processors_detail.h"

namespace enclave::pipeline::filebeat {
namespace {

constexpr std::size_t kRulesMax = 1000;

ChoiceRule read_rule(Reader& reader, const Node& node, const std::string& key) {
  ChoiceRule rule;
  rule.place = node.place;
  for (const auto& member : node.members) {
    if (member.key == key) {
      rule.format = reader.scalar(member.value, key).value_or("");
    } else if (member.key == "default") {
      rule.otherwise = reader.scalar(member.value, "default").value_or("");
    } else if (member.key == "when") {
      rule.when = read_condition(reader, member.value);
    } else if (member.key == "mappings" && member.value.kind == Node::Kind::map) {
      for (const auto& one : member.value.members)
        rule.mappings.emplace_back(one.key, reader.scalar(one.value, one.key).value_or(""));
    } else if (member.key == "mappings") {
      reader.diagnostics().error(member.place, "mappings: a map is wanted, such as {error: errors}");
    } else {
      reader.diagnostics().warning(member.place, fmt::format("{} is no setting of this list, and has no effect; there "
                                                             "are {}, mappings, default and when",
                                                             member.key, key));
    }
  }
  if (rule.format.empty()) {
    reader.diagnostics().error(node.place, fmt::format("this item has no {}", key));
  } else if (const auto compiled = EventFormat::compile(rule.format); !compiled) {
    reader.diagnostics().error(place_of(node, key), compiled.error().text());
  }
  return rule;
}

}  // namespace

std::vector<ChoiceRule> read_choices(Reader& reader, const Node& node, const std::string& key) {
  std::vector<ChoiceRule> out;
  if (node.kind == Node::Kind::null) return out;
  if (node.kind != Node::Kind::list || node.items.size() > kRulesMax) {
    reader.diagnostics().error(
        node.place, fmt::format("a list of at most {} items is wanted, each with {}: and when:", kRulesMax, key));
    return out;
  }
  for (const auto& item : node.items) {
    if (item.kind == Node::Kind::map) {
      out.push_back(read_rule(reader, item, key));
    } else {
      reader.diagnostics().error(item.place, fmt::format("an item with {}: is wanted", key));
    }
  }
  return out;
}

}  // namespace enclave::pipeline::filebeat
