#include "base/files.h"
#include "cli/config_file.h"
#include "cli/json.h"
#include "cli/man.h"
#include "cli/verbs.h"

namespace enclave::cli {
namespace {

struct Page {
  std::string file;
  std::string text;
};

std::vector<Page> all_pages() {
  std::vector<Page> pages{{"enclave.1", man_of_all()}, {"enclave.yaml.5", man_of_config()}};
  for (const Verb* verb : all_verbs()) pages.push_back({fmt::format("enclave-{}.1", verb->name), man_of(*verb)});
  return pages;
}

Result<void> write_pages(const std::string& directory, Shell& shell) {
  TRY(make_directories(shell.world.files, directory));
  for (const Page& page : all_pages()) {
    TRY(replace_file(shell.world.files, join_path(directory, page.file), page.text));
    shell.out << join_path(directory, page.file) << "\n";
  }
  return {};
}

Result<std::string> find_page(const Arguments& arguments) {
  if (arguments.operands().empty()) return man_of_all();
  const std::string& name = arguments.operands()[0];
  if (name == "enclave") return man_of_all();
  if (name == "enclave.yaml") return man_of_config();
  const Verb* verb = find_verb(name.starts_with("enclave-") ? name.substr(8) : name);
  if (verb == nullptr)
    return Error{Fault::invalid, "there is no page \"{}\"; there is one for each verb and enclave.yaml", name};
  return man_of(*verb);
}

int run(const Arguments& arguments, Shell& shell) {
  if (arguments.has("write")) {
    if (auto written = write_pages(absolute_path(shell, arguments.value("write")), shell); !written)
      return fail(shell, "man", written.error());
    return kGood;
  }
  auto page = find_page(arguments);
  if (!page) {
    (void)fail(shell, "man", page.error());
    return kUsage;
  }
  if (arguments.has("json")) {
    shell.out << JsonObject().text("roff", *page).done() << "\n";
  } else {
    shell.out << *page;
  }
  return kGood;
}

constexpr OptionSpec kOptions[] = {{0,
                                    "write",
                                    "DIR",
                                    "Write every page into DIR instead, and print the names of the files.",
                                    false,
                                    Completes::directory,
                                    {}}};
constexpr StatusSpec kStatuses[] = {
    {kGood, "printed"}, {kFailed, "a page could not be written"}, {kUsage, "there is no such page"}};
constexpr Example kExamples[] = {{"enclave man verify | man -l -", "Read the page of a verb."},
                                 {"enclave man enclave.yaml | man -l -", "Read about the configuration."}};

}  // namespace

const Verb verb_man{
    .name = "man",
    .summary = "print the manual of a verb or of enclave.yaml",
    .description =
        "Prints a manual page in roff, made from the same tables that read the command line "
        "and the configuration.",
    .options = kOptions,
    .operands = {"[VERB|enclave.yaml]", "The page; without it the overview.", 0, 1, Completes::nothing, {}},
    .statuses = kStatuses,
    .examples = kExamples,
    .run = run};

}  // namespace enclave::cli
