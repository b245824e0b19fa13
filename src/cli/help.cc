#include "cli/help.h"

#include <algorithm>

namespace enclave::cli {
namespace {

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

constexpr std::size_t kGap = 26;

std::string section(std::string_view title) { return fmt::format("\n{}:\n", title); }

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns) {
  std::string out;
  std::string line;
  const auto flush = [&] {
    if (!line.empty()) out += std::string(indent, ' ') + line + "\n";
    line.clear();
  };
  while (!text.empty()) {
    if (text[0] == '\n') {
      flush();
      out += "\n";
      while (text.starts_with('\n')) text.remove_prefix(1);
      continue;
    }
    const std::string_view word = text.substr(0, text.find_first_of(" \n"));
    text.remove_prefix(word.size());
    if (text.starts_with(' ')) text.remove_prefix(1);
    if (text.starts_with('\n') && !text.starts_with("\n\n")) text.remove_prefix(1);
    if (word.empty()) continue;
    if (!line.empty() && indent + width_of(line) + 1 + width_of(word) > columns) flush();
    line += (line.empty() ? "" : " ") + std::string(word);
  }
  flush();
  return out;
}

std::string definition(std::string_view term, std::string_view text, std::size_t gap) {
  std::string body = wrapped(text, gap);
  const std::size_t used = 2 + width_of(term);
  if (used + 2 > gap) return fmt::format("  {}\n{}", term, body);
  return fmt::format("  {}{}", term, body.substr(used));
}

std::string term_of(const OptionSpec& option) {
  std::string out =
      option.letter != 0 ? fmt::format("-{}, --{}", option.letter, option.name) : fmt::format("    --{}", option.name);
  if (!option.value.empty()) out += " " + std::string(option.value);
  return out;
}

std::string usage_of(const Verb& verb) {
  std::string out = fmt::format("enclave {} [OPTION]…", verb.name);
  if (!verb.operands.usage.empty()) out += " " + std::string(verb.operands.usage);
  return out;
}

std::string help_of_all() {
  std::string out = "enclave: seals the logs of this machine so that no one can change them unseen\n";
  out += section("Usage") + "  enclave VERB [OPTION]…\n";
  out += section("Verbs");
  for (const Verb* verb : all_verbs()) out += definition(verb->name, verb->summary, 14);
  out += "\nenclave VERB --help says more about a verb, enclave man prints the manual.\n";
  return out;
}

std::string help_of(const Verb& verb) {
  std::string out = fmt::format("enclave {}: {}\n", verb.name, verb.summary);
  out += section("Usage") + "  " + usage_of(verb) + "\n\n";
  out += wrapped(verb.description, 0);
  if (!verb.actions.empty()) out += section("Actions");
  for (const auto& action : verb.actions)
    out += definition(fmt::format("{} {}", action.name, action.usage), action.help, kGap);
  if (!verb.operands.usage.empty() && verb.actions.empty())
    out += section("Operands") + definition(verb.operands.usage, verb.operands.help, kGap);
  out += section("Options");
  for (const auto& option : options_of(verb)) out += definition(term_of(option), option.help, kGap);
  out += section("Exit status");
  for (const auto& status : verb.statuses) out += definition(std::to_string(status.status), status.meaning, 6);
  if (!verb.examples.empty()) out += section("Examples");
  for (const auto& example : verb.examples) out += fmt::format("  {}\n{}", example.command, wrapped(example.what, 6));
  return out;
}

}  // namespace enclave::cli
