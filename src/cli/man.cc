#include "cli/man.h"

#include <algorithm>

#include "cli/help.h"
#include "pipeline/config/config.h"

namespace enclave::cli {
namespace {

/// The next character (UTF-8) of a text that is ours, taken off it.
std::uint32_t take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  std::uint32_t character = length == 1 ? first : first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length && i < text.size(); ++i)
    character = character << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
  text.remove_prefix(std::min(length, text.size()));
  return character;
}

/// A line that begins with a dot or a quote is a request to roff, a bare dash is a hyphen, and only ASCII is safe.
std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  while (!text.empty()) {
    const std::uint32_t c = take_character(text);
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c < 0x80) {
      out += static_cast<char>(c);
    } else {
      out += fmt::format("\\[u{:04X}]", c);
    }
    line_start = c == '\n';
  }
  return out;
}

std::string head(std::string_view title, int section, std::string_view summary) {
  std::string upper;
  for (const char c : title) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return fmt::format(".TH {} {} \"\" \"enclave {}\" \"\"\n.SH NAME\n{} \\- {}\n", roff(upper), section, kVersion,
                     roff(title), roff(summary));
}

std::string paragraphs(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = text.find("\n\n");
    out += ".PP\n" + roff(text.substr(0, end)) + "\n";
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  }
  return out;
}

std::string item(std::string_view term, std::string_view text) {
  return fmt::format(".TP\n.B {}\n{}\n", roff(term), roff(text));
}

std::string details_of(const OptionCard& card) {
  std::string out = fmt::format("{}", card.type);
  for (std::size_t i = 0; i < card.words.size(); ++i)
    out += fmt::format("{}{}", i == 0 ? ": " : i + 1 == card.words.size() ? " or " : ", ", card.words[i]);
  if (!card.fallback.empty()) out += fmt::format("; default {}", card.fallback);
  return out;
}

constexpr std::string_view kSeeAlso = "enclave(1), enclave.yaml(5), age(1)";

}  // namespace

std::string man_of_all() {
  std::string out = head("enclave", 1, "seals the logs of a machine so that no one can change them unseen");
  out += ".SH SYNOPSIS\n.B enclave\n.I VERB\n[OPTION]...\n";
  out += ".SH DESCRIPTION\n" +
         paragraphs(
             "enclave reads the logs of this machine, seals them in encrypted objects under a tamper-evident "
             "log in an object store, and proves to an auditor that nobody changed them.");
  out += ".SH VERBS\n";
  for (const Verb* verb : all_verbs()) out += item(fmt::format("enclave {}", verb->name), verb->summary);
  out += ".SH EXIT STATUS\n" + item("0", "good") + item("1", "could not do it") +
         item("2", "a control fails, or a plan has changes") + item("3", "integrity violated") +
         item("4", "could not tell") + item("64", "wrong usage");
  out += ".SH SEE ALSO\n";
  for (const Verb* verb : all_verbs()) out += roff(fmt::format("enclave-{}(1), ", verb->name));
  return out + "enclave.yaml(5), age(1)\n";
}

std::string man_of(const Verb& verb) {
  const std::string name = fmt::format("enclave-{}", verb.name);
  std::string out = head(name, 1, verb.summary);
  out += ".SH SYNOPSIS\n" + roff(usage_of(verb)) + "\n";
  out += ".SH DESCRIPTION\n" + paragraphs(verb.description);
  if (!verb.actions.empty()) out += ".SH ACTIONS\n";
  for (const auto& action : verb.actions) out += item(fmt::format("{} {}", action.name, action.usage), action.help);
  if (!verb.operands.usage.empty() && verb.actions.empty())
    out += ".SH OPERANDS\n" + item(verb.operands.usage, verb.operands.help);
  out += ".SH OPTIONS\n";
  for (const auto& option : options_of(verb)) {
    std::string term = term_of(option);
    out += item(std::string_view(term).substr(term.find_first_not_of(' ')), option.help);
  }
  out += ".SH EXIT STATUS\n";
  for (const auto& status : verb.statuses) out += item(std::to_string(status.status), status.meaning);
  if (!verb.examples.empty()) out += ".SH EXAMPLES\n";
  for (const auto& example : verb.examples) out += item(example.command, example.what);
  return out + ".SH SEE ALSO\n" + roff(kSeeAlso) + "\n";
}

std::string man_of_config() {
  std::string out = head("enclave.yaml", 5, "configuration of enclave");
  out += ".SH DESCRIPTION\n" +
         paragraphs(
             "enclave.yaml says what is wanted, in YAML. Every key but one has a default: the smallest valid "
             "file is \"enclave: NAME\". Unknown keys, wrong types and impossible values are errors; enclave "
             "check names all of them with line and column.\n\nA duration is a number and ms, s, m, h, d or y; "
             "a size is a number and B, KiB, MiB, GiB or TiB. Relative paths count from the directory of the "
             "file. Tags, merge keys and second documents are refused; anchors and aliases are read.");
  for (const auto& section : pipeline::config_manual()) {
    out += fmt::format(".SH {}\n", section.name.empty() ? "TOP OF THE FILE" : roff(section.name));
    out += paragraphs(section.help);
    for (const auto& card : section.cards) out += item(card.name, fmt::format("{} ({})", card.help, details_of(card)));
  }
  out += ".SH FILES\n" + item(pipeline::kDefaultConfigPath, "read when neither -c nor --dir is given");
  return out + ".SH SEE ALSO\n" + roff(kSeeAlso) + "\n";
}

}  // namespace enclave::cli
