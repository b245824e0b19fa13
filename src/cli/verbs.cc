#include "cli/verbs.h"

namespace enclave::cli {

std::string Arguments::value(std::string_view option, std::string_view fallback) const {
  const auto found = options_.find(option);
  return found == options_.end() || found->second.empty() ? std::string(fallback) : found->second.back();
}

std::vector<std::string> Arguments::values(std::string_view option) const {
  const auto found = options_.find(option);
  return found == options_.end() ? std::vector<std::string>() : found->second;
}

std::span<const OptionSpec> common_options() {
  static constexpr OptionSpec kCommon[] = {
      {0, "json", "", "Print for programs: JSON, one document, or one object a line.", false, Completes::nothing, {}},
      {'h', "help", "", "Say what this verb does, and stop.", false, Completes::nothing, {}},
  };
  return kCommon;
}

std::vector<OptionSpec> options_of(const Verb& verb) {
  std::vector<OptionSpec> all(verb.options.begin(), verb.options.end());
  all.insert(all.end(), common_options().begin(), common_options().end());
  return all;
}

std::span<const Verb* const> all_verbs() {
  static constexpr const Verb* kAll[] = {&verb_init,   &verb_check,       &verb_plan,       &verb_apply,
                                         &verb_audit,  &verb_run,         &verb_up,         &verb_verify,
                                         &verb_status, &verb_deadletters, &verb_search,     &verb_object,
                                         &verb_bucket, &verb_version,     &verb_completion, &verb_man};
  return kAll;
}

const Verb* find_verb(std::string_view name) {
  for (const Verb* verb : all_verbs())
    if (verb->name == name) return verb;
  return nullptr;
}

}  // namespace enclave::cli
