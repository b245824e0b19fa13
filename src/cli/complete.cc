#include "cli/complete.h"

namespace enclave::cli {
namespace {

/// Inside single quotes of a shell.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string words_of(std::span<const std::string_view> words) {
  std::string out;
  for (const auto word : words) out += (out.empty() ? "" : " ") + std::string(word);
  return out;
}

std::string action_names(const Verb& verb) {
  std::string out;
  for (const auto& action : verb.actions) out += (out.empty() ? "" : " ") + std::string(action.name);
  return out;
}

std::string verb_names() {
  std::string out;
  for (const Verb* verb : all_verbs()) out += (out.empty() ? "" : " ") + std::string(verb->name);
  return out + " help";
}

std::string bash_generator(Completes completes, std::span<const std::string_view> words) {
  if (!words.empty()) return "-W " + quoted(words_of(words));
  switch (completes) {
    case Completes::file:
      return "-f";
    case Completes::directory:
      return "-d";
    case Completes::nothing:
      break;
  }
  return "-W ''";
}

}  // namespace

std::string bash_completion() {
  std::string out =
      "# bash completion of enclave; load it with: source <(enclave completion bash)\n"
      "_enclave() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}\n"
      "  COMPREPLY=()\n"
      "  if (( COMP_CWORD == 1 )) || [[ $verb == help ]]; then\n";
  out += fmt::format("    mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$word\")\n    return\n  fi\n", verb_names());
  out += "  case $verb in\n";
  for (const Verb* verb : all_verbs()) {
    out += fmt::format("    {})\n      case $before in\n", verb->name);
    std::string flags;
    for (const auto& option : options_of(*verb)) {
      flags += fmt::format("{}--{}", flags.empty() ? "" : " ", option.name);
      if (option.value.empty()) continue;
      const std::string letter = option.letter != 0 ? fmt::format("-{}|", option.letter) : "";
      out += fmt::format("        {}--{}) mapfile -t COMPREPLY < <(compgen {} -- \"$word\"); return ;;\n", letter,
                         option.name, bash_generator(option.completes, option.words));
    }
    out += "      esac\n";
    if (!verb->actions.empty())
      out += fmt::format(
          "      if (( COMP_CWORD == 2 )); then mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$word\"); return; fi\n",
          action_names(*verb));
    out += fmt::format(
        "      if [[ $word == -* ]]; then\n"
        "        mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$word\")\n      else\n"
        "        mapfile -t COMPREPLY < <(compgen {} -- \"$word\")\n      fi ;;\n",
        flags, bash_generator(verb->operands.completes, verb->operands.words));
  }
  return out + "  esac\n}\ncomplete -o filenames -F _enclave enclave\n";
}

namespace {

/// Colons and brackets part the fields of an _arguments specification.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_action(Completes completes, std::span<const std::string_view> words) {
  if (!words.empty()) return "(" + words_of(words) + ")";
  switch (completes) {
    case Completes::file:
      return "_files";
    case Completes::directory:
      return "_files -/";
    case Completes::nothing:
      break;
  }
  return " ";
}

std::string zsh_option(const OptionSpec& option) {
  std::string tail = fmt::format("[{}]", zsh_text(option.help));
  if (!option.value.empty())
    tail += fmt::format(":{}:{}", zsh_text(option.value), zsh_action(option.completes, option.words));
  std::string out;
  const std::string repeat = option.repeats ? "*" : "";
  if (option.letter != 0) out += fmt::format(" {}", quoted(fmt::format("{}-{}{}", repeat, option.letter, tail)));
  return out + fmt::format(" {}", quoted(fmt::format("{}--{}{}", repeat, option.name, tail)));
}

}  // namespace

std::string zsh_completion() {
  std::string out =
      "#compdef enclave\n"
      "# zsh completion of enclave; put it into a directory of $fpath as _enclave, or: source <(enclave completion "
      "zsh)\n"
      "_enclave() {\n  local -a verbs\n  verbs=(\n";
  for (const Verb* verb : all_verbs())
    out += fmt::format("    {}\n", quoted(fmt::format("{}:{}", verb->name, zsh_text(verb->summary))));
  out +=
      "  )\n"
      "  if (( CURRENT == 2 )) || [[ $words[2] == help ]]; then\n    _describe verb verbs\n    return\n  fi\n"
      "  local verb=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $verb in\n";
  for (const Verb* verb : all_verbs()) {
    out += fmt::format("    {}) _arguments -s", verb->name);
    for (const auto& option : options_of(*verb)) out += " \\\n      " + zsh_option(option).substr(1);
    const OperandSpec& operands = verb->operands;
    if (!verb->actions.empty()) out += " \\\n      " + quoted(fmt::format("1:action:({})", action_names(*verb)));
    if (operands.most > 0)
      out += " \\\n      " +
             quoted(fmt::format("*:{}:{}", zsh_text(operands.usage), zsh_action(operands.completes, operands.words)));
    out += " ;;\n";
  }
  return out +
         "  esac\n}\nif [[ $funcstack[1] == _enclave ]]; then _enclave \"$@\"; else compdef _enclave enclave; fi\n";
}

namespace {

std::string fish_option(const Verb& verb, const OptionSpec& option) {
  std::string out =
      fmt::format("complete -c enclave -n '__fish_seen_subcommand_from {}' -l {}", verb.name, option.name);
  if (option.letter != 0) out += fmt::format(" -s {}", option.letter);
  if (!option.value.empty()) {
    out += " -r";
    if (!option.words.empty())
      out += " -f -a " + quoted(words_of(option.words));
    else if (option.completes == Completes::file)
      out += " -F";
    else if (option.completes == Completes::directory)
      out += " -f -a '(__fish_complete_directories)'";
    else
      out += " -f";
  }
  return out + " -d " + quoted(option.help) + "\n";
}

}  // namespace

std::string fish_completion() {
  std::string out =
      "# fish completion of enclave; load it with: enclave completion fish | source\ncomplete -c enclave -f\n";
  for (const Verb* verb : all_verbs()) {
    out += fmt::format("complete -c enclave -n __fish_use_subcommand -a {} -d {}\n", verb->name, quoted(verb->summary));
    for (const auto& option : options_of(*verb)) out += fish_option(*verb, option);
    const OperandSpec& operands = verb->operands;
    const std::string when = fmt::format("complete -c enclave -n '__fish_seen_subcommand_from {}'", verb->name);
    if (!verb->actions.empty()) out += fmt::format("{} -a {}\n", when, quoted(action_names(*verb)));
    if (!operands.words.empty())
      out += fmt::format("{} -a {}\n", when, quoted(words_of(operands.words)));
    else if (operands.completes == Completes::file)
      out += when + " -F\n";
    else if (operands.completes == Completes::directory)
      out += when + " -a '(__fish_complete_directories)'\n";
  }
  return out;
}

}  // namespace enclave::cli
