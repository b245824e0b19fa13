#include "cli/complete.h"
#include "cli/json.h"
#include "cli/verbs.h"

namespace enclave::cli {
namespace {

constexpr std::string_view kShells[] = {"bash", "zsh", "fish"};

int run(const Arguments& arguments, Shell& shell) {
  const std::string& name = arguments.operands()[0];
  const std::string script = name == "bash" ? bash_completion() : name == "zsh" ? zsh_completion() : fish_completion();
  if (arguments.has("json")) {
    shell.out << JsonObject().text("shell", name).text("script", script).done() << "\n";
  } else {
    shell.out << script;
  }
  return kGood;
}

constexpr StatusSpec kStatuses[] = {{kGood, "printed"}, {kUsage, "another shell than these"}};
constexpr Example kExamples[] = {{"source <(enclave completion bash)", "For this shell."},
                                 {"enclave completion bash > /etc/bash_completion.d/enclave", "For every shell."}};

}  // namespace

const Verb verb_completion{.name = "completion",
                           .summary = "print a completion script for bash, zsh or fish",
                           .description = "Prints a script that lets the shell complete verbs, options and files.",
                           .options = {},
                           .operands = {"bash|zsh|fish", "The shell.", 1, 1, Completes::nothing, kShells},
                           .statuses = kStatuses,
                           .examples = kExamples,
                           .run = run};

}  // namespace enclave::cli
