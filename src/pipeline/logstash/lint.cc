#include "pipeline/logstash/lint.h"

#include <algorithm>
#include <tuple>

#include "pipeline/logstash/lint_detail.h"

namespace enclave::pipeline::logstash {
namespace lint_detail {

std::vector<std::string> texts_of(const Plugin& plugin, std::string_view name) {
  std::vector<std::string> out;
  for (const auto* attribute : find_all(plugin, name)) {
    if (const auto* text = text_of(attribute->value)) out.push_back(*text);
    const auto* array = std::get_if<Array>(&attribute->value.data);
    if (array == nullptr) continue;
    for (const auto& item : array->items)
      if (const auto* text = text_of(item)) out.push_back(*text);
  }
  return out;
}

void Linter::add(std::string_view rule, const Position& position, std::string reason, std::string mend) {
  findings.push_back({Finding::Grade::warning, rule, position, std::move(reason), std::move(mend)});
}

void Linter::items(const std::vector<Item>& all, Section section) {
  for (const auto& item : all) {
    if (const auto* plugin = std::get_if<Plugin>(&item)) {
      lint_plugin(*this, *plugin, section);
      continue;
    }
    for (const auto& arm : std::get<Branch>(item).arms) {
      if (arm.condition) lint_condition(*this, *arm.condition);
      if (arm.items.empty())
        findings.push_back({Finding::Grade::note, "empty-branch", arm.position, "this part of a branch does nothing",
                            "leave it out, or say in it what is to be done"});
      items(arm.items, section);
    }
  }
}

}  // namespace lint_detail

namespace {

bool before(const Finding& a, const Finding& b) {
  return std::tie(a.position.file, a.position.offset) < std::tie(b.position.file, b.position.offset);
}

}  // namespace

std::vector<Finding> lint(const Configuration& configuration) {
  lint_detail::Linter linter{configuration, {}};
  linter.items(configuration.inputs, lint_detail::Section::input);
  linter.items(configuration.filters, lint_detail::Section::filter);
  linter.items(configuration.outputs, lint_detail::Section::output);
  lint_removed_fields(linter);
  std::stable_sort(linter.findings.begin(), linter.findings.end(), before);
  return std::move(linter.findings);
}

std::vector<Finding> lint_file(const Configuration& configuration, std::uint32_t file, std::string_view text,
                               bool world_readable) {
  lint_detail::Linter linter{configuration, {}};
  if (const std::size_t at = text.find("\r\n"); at != std::string_view::npos) {
    Position position;
    position.file = file;
    position.offset = at;
    position.column = static_cast<std::uint32_t>(at - (text.substr(0, at).rfind('\n') + 1) + 1);
    position.line =
        static_cast<std::uint32_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1);
    linter.findings.push_back({Finding::Grade::note, "crlf", position, "the lines end in CR LF",
                               "that is read, but texts over several lines keep the CR; write LF alone"});
  }
  if (world_readable) lint_secrets(linter, file);
  std::stable_sort(linter.findings.begin(), linter.findings.end(), before);
  return std::move(linter.findings);
}

std::string to_text(const Configuration& configuration, const std::vector<Finding>& findings) {
  std::string out;
  for (const auto& finding : findings) {
    const Place place = configuration.place(finding.position);
    out += fmt::format("{}:{}:{}: {}: {}; {} ({})\n", place.file, place.line, place.column,
                       finding.grade == Finding::Grade::note ? "note" : "warning", finding.reason, finding.mend,
                       finding.rule);
  }
  return out;
}

}  // namespace enclave::pipeline::logstash
