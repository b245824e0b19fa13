#include "cli/parse.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include "base/options.h"
#include "cli/help.h"

namespace enclave::cli {
namespace {

std::string flags_of(const OptionSpec& option) {
  return option.letter != 0 ? fmt::format("-{},--{}", option.letter, option.name) : fmt::format("--{}", option.name);
}

Error unknown(const Verb& verb, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> known;
  for (const auto& option : options_of(verb)) known.push_back(fmt::format("--{}", option.name));
  const std::vector<std::string_view> views(known.begin(), known.end());
  const std::string near = nearest(name, views);
  if (near.empty()) return {Fault::invalid, "there is no option {}", name};
  return {Fault::invalid, "there is no option {}; did you mean {}?", name, near};
}

/// What CLI11 could not place: operands, or options that do not exist.
Result<void> take_operands(const Verb& verb, const std::vector<std::string>& words, Arguments& arguments) {
  for (const auto& word : words) {
    if (word.size() > 1 && word[0] == '-') return unknown(verb, word);
    arguments.add_operand(word);
  }
  return {};
}

/// "ls" of `enclave object ls`, with what it takes.
Result<void> check_action(const Verb& verb, const Arguments& arguments) {
  const auto& given = arguments.operands();
  const std::string name = given.empty() ? "" : given[0];
  std::vector<std::string_view> names;
  std::string known;
  for (const auto& action : verb.actions) {
    names.push_back(action.name);
    known += (known.empty() ? "" : ", ") + std::string(action.name);
    if (action.name != name) continue;
    if (given.size() - 1 < action.least) return Error{Fault::invalid, "{}: {} is missing", name, action.usage};
    if (given.size() - 1 > action.most)
      return Error{Fault::invalid, "{}: \"{}\" is one word too many", name, given[action.most + 1]};
    for (const auto& option : verb.options) {
      const bool taken =
          fmt::format(" {} ", action.options).find(fmt::format(" {} ", option.name)) != std::string::npos;
      if (arguments.has(option.name) && !taken)
        return Error{Fault::invalid, "--{} means nothing to {} {}", option.name, verb.name, name};
    }
    return {};
  }
  if (name.empty()) return Error{Fault::invalid, "say what to do: {}", known};
  const std::string near = nearest(name, names);
  if (near.empty()) return Error{Fault::invalid, "\"{}\" is not one of {}", name, known};
  return Error{Fault::invalid, "\"{}\" is not one of {}; did you mean {}?", name, known, near};
}

Result<void> check_operands(const Verb& verb, const Arguments& arguments) {
  if (!verb.actions.empty()) return check_action(verb, arguments);
  const OperandSpec& spec = verb.operands;
  const auto& given = arguments.operands();
  if (given.size() > spec.most && spec.most == 0)
    return Error{Fault::invalid, "\"{}\" is one word too many; {} takes options only", given[0], verb.name};
  if (given.size() > spec.most) return Error{Fault::invalid, "\"{}\" is one word too many", given[spec.most]};
  if (given.size() < spec.least) return Error{Fault::invalid, "{} is missing", spec.usage};
  if (spec.words.empty()) return {};
  for (const auto& word : given) {
    if (std::find(spec.words.begin(), spec.words.end(), word) != spec.words.end()) continue;
    std::string known;
    for (const auto name : spec.words) known += (known.empty() ? "" : ", ") + std::string(name);
    return Error{Fault::invalid, "\"{}\" is not one of {}", word, known};
  }
  return {};
}

Result<void> check_options(const Verb& verb, const Arguments& arguments) {
  for (const auto& option : options_of(verb)) {
    const auto values = arguments.values(option.name);
    if (!option.repeats && values.size() > 1) return Error{Fault::invalid, "--{} is given more than once", option.name};
    for (const auto& value : values) {
      if (option.value.empty()) continue;
      if (value.empty()) return Error{Fault::invalid, "--{} needs a value: {}", option.name, option.value};
      if (option.words.empty()) continue;
      if (std::find(option.words.begin(), option.words.end(), value) == option.words.end())
        return Error{Fault::invalid, "--{}: \"{}\" is not one of its values", option.name, value};
    }
  }
  return {};
}

/// "--config --json": CLI11 would take the next option for the value.
Result<void> check_values(const Verb& verb, const std::vector<std::string>& words) {
  const auto options = options_of(verb);
  const auto is = [](const OptionSpec& option, const std::string& word) {
    return word == fmt::format("--{}", option.name) ||
           (option.letter != 0 && word == fmt::format("-{}", option.letter));
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const auto& option : options) {
      const bool empty = words[i] == fmt::format("--{}=", option.name);
      if (option.value.empty() || (!empty && !is(option, words[i]))) continue;
      const bool missing =
          empty || i + 1 == words.size() ||
          std::any_of(options.begin(), options.end(), [&](const auto& other) { return is(other, words[i + 1]); });
      if (missing) return Error{Fault::invalid, "--{} needs a value: {}", option.name, option.value};
      ++i;
      break;
    }
  }
  return {};
}

/// CLI11 does the splitting: "-cF", "--config=F", "-c F", flags in one word.
Result<std::vector<std::string>> split(const Verb& verb, std::vector<std::string> words, Arguments& arguments) {
  const auto options = options_of(verb);
  std::vector<std::vector<std::string>> values(options.size());
  std::vector<CLI::Option*> parsed(options.size());
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  try {
    for (std::size_t i = 0; i < options.size(); ++i)
      parsed[i] = options[i].value.empty() ? app.add_flag(flags_of(options[i]))
                                           : app.add_option(flags_of(options[i]), values[i])->allow_extra_args(false);
    std::reverse(words.begin(), words.end());
    app.parse(words);
  } catch (const CLI::Error& error) {
    return Error{Fault::invalid, "{}", error.what()};
  }
  for (std::size_t i = 0; i < options.size(); ++i)
    if (parsed[i]->count() > 0)
      arguments.add(options[i].name, options[i].value.empty() ? std::vector<std::string>(1) : values[i]);
  return app.remaining();
}

}  // namespace

Result<Arguments> parse_arguments(const Verb& verb, const std::vector<std::string>& words) {
  Arguments arguments;
  const auto dashes = std::find(words.begin(), words.end(), "--");
  TRY(check_values(verb, {words.begin(), dashes}));
  const auto rest = TRY(split(verb, {words.begin(), dashes}, arguments));
  if (arguments.has("help")) return arguments;
  TRY(take_operands(verb, rest, arguments));
  for (auto word = dashes; word != words.end(); ++word)
    if (word != dashes) arguments.add_operand(*word);
  TRY(check_options(verb, arguments));
  TRY(check_operands(verb, arguments));
  return arguments;
}

namespace {

int wrong_usage(Shell& shell, std::string_view text, std::string_view verb) {
  shell.err << "enclave" << (verb.empty() ? "" : " ") << verb << ": " << text << "\nSee: enclave"
            << (verb.empty() ? "" : " ") << verb << " --help\n";
  return kUsage;
}

int unknown_verb(Shell& shell, const std::string& word) {
  std::vector<std::string_view> names;
  for (const Verb* verb : all_verbs()) names.push_back(verb->name);
  const std::string near = nearest(word, names);
  const std::string_view kind = word.starts_with('-') ? "option" : "verb";
  return wrong_usage(shell,
                     near.empty() ? fmt::format("there is no {} {}", kind, word)
                                  : fmt::format("there is no {} {}; did you mean {}?", kind, word, near),
                     "");
}

}  // namespace

int run_command(const std::vector<std::string>& words, Shell& shell) {
  if (words.empty()) {
    shell.err << help_of_all();
    return kUsage;
  }
  const bool help = words[0] == "help";
  if (words[0] == "--help" || words[0] == "-h" || (help && words.size() == 1)) {
    shell.out << help_of_all();
    return kGood;
  }
  const std::string name = words[0] == "--version" || words[0] == "-V" ? "version" : words[help ? 1 : 0];
  const Verb* verb = find_verb(name);
  if (verb == nullptr) return unknown_verb(shell, name);
  if (help) {
    shell.out << help_of(*verb);
    return kGood;
  }
  auto arguments = parse_arguments(*verb, {words.begin() + 1, words.end()});
  if (!arguments) return wrong_usage(shell, arguments.error().text(), verb->name);
  if (arguments->has("help")) {
    shell.out << help_of(*verb);
    return kGood;
  }
  return verb->run(*arguments, shell);
}

}  // namespace enclave::cli
