#include "cli/json.h"
#include "cli/verbs.h"

namespace enclave::cli {
namespace {

int run(const Arguments& arguments, Shell& shell) {
  if (arguments.has("json")) {
    shell.out << JsonObject().text("name", "enclave").text("version", kVersion).done() << "\n";
  } else {
    shell.out << "enclave " << kVersion << "\n";
  }
  return kGood;
}

constexpr StatusSpec kStatuses[] = {{kGood, "always"}};

}  // namespace

const Verb verb_version{.name = "version",
                        .summary = "print the version",
                        .description = "Prints the version of this program.",
                        .options = {},
                        .operands = {},
                        .statuses = kStatuses,
                        .examples = {},
                        .run = run};

}  // namespace enclave::cli
