#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/logstash/lint.h"

/// The parts of the lint; for lint*.cc alone.
namespace enclave::pipeline::logstash {
namespace lint_detail {

enum class Section : std::uint8_t { input, filter, output };

struct Linter {
  const Configuration& configuration;
  std::vector<Finding> findings;

  void add(std::string_view rule, const Position& position, std::string reason, std::string mend);
  void items(const std::vector<Item>& all, Section section);
};

/// The texts of a setting that is one or a list of them.
std::vector<std::string> texts_of(const Plugin& plugin, std::string_view name);

}  // namespace lint_detail

void lint_plugin(lint_detail::Linter& linter, const Plugin& plugin, lint_detail::Section section);
void lint_condition(lint_detail::Linter& linter, const Expression& expression);
/// Across plugins: what a filter removes and an output uses.
void lint_removed_fields(lint_detail::Linter& linter);
void lint_secrets(lint_detail::Linter& linter, std::uint32_t file);

}  // namespace enclave::pipeline::logstash
