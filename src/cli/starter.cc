#include "cli/starter.h"

#include <algorithm>

#include "base/files.h"
#include "cli/config_file.h"
#include "cli/help.h"
#include "io/host.h"
#include "pipeline/config/config.h"
#include "pipeline/config/config_check.h"
#include "pipeline/config/yaml.h"

namespace enclave::cli {
namespace {

constexpr std::size_t kWalkMax = 10'000;

/// Text logs whose names do not end in .log.
constexpr std::string_view kKnownLogs[] = {"syslog", "messages", "secure", "maillog", "cron", "debug", "boot"};
constexpr std::string_view kEnvironment[] = {"AWS_ACCESS_KEY_ID",   "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
                                             "AWS_REGION",          "AWS_DEFAULT_REGION",    "AWS_ENDPOINT_URL",
                                             "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE"};

std::string enclave_name(std::string_view hostname) {
  std::string name;
  for (const char c : hostname.substr(0, hostname.find('.')))
    name += pipeline::is_enclave_name(std::string("x") + c) ? c : '-';
  while (!name.empty() && !pipeline::is_enclave_name(name.substr(0, 1))) name.erase(0, 1);
  name.resize(std::min<std::size_t>(name.size(), 64));
  return name.empty() ? "enclave" : name;
}

/// Whether a file below `directory` whose name ends so can be opened. Looks at some thousand files at most.
bool any_readable(Files& files, const std::string& directory, std::string_view ending) {
  std::size_t seen = 0;
  bool found = false;
  (void)walk_files(files, directory, [&](const std::string& path, const FileInfo&) -> Result<void> {
    found = path.ends_with(ending) && files.open(join_path(directory, path));
    if (found || ++seen > kWalkMax) return Error{Fault::limit, "enough seen"};
    return {};
  });
  return found;
}

std::string commented(std::string_view text, std::size_t indent) {
  std::string out;
  std::string lines = wrapped(text, 0, 100 - indent);
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    out += std::string(indent, ' ') + "# " + lines.substr(0, end) + "\n";
    lines.erase(0, end + 1);
  }
  return out;
}

std::string default_of(const OptionCard& card) {
  if (card.type == "list of texts") return "[" + card.fallback + "]";
  if (card.fallback.empty() && !card.words.empty()) return std::string(card.words[0]);
  return card.type == "text" ? pipeline::yaml_scalar(card.fallback) : card.fallback;
}

std::string help_with_words(const OptionCard& card) {
  std::string out(card.help);
  for (std::size_t i = 0; i < card.words.size(); ++i)
    out += fmt::format("{}{}", i == 0 ? " One of: " : ", ", card.words[i]);
  return out;
}

/// "  # Help.\n  # key: default\n" for each card; in a list, the first has a dash.
std::string keys_of(const pipeline::ConfigSection& section, bool list) {
  std::string out;
  bool first = true;
  for (const auto& card : section.cards) {
    out += commented(help_with_words(card), 2);
    out += fmt::format("  # {}{}: {}\n", !list ? "" : first ? "- " : "  ", card.name, default_of(card));
    first = false;
  }
  return out;
}

std::string inputs_of(const Findings& findings) {
  if (findings.logs.empty() && !findings.journal) return "  # No log that can be read was found here.\n  inputs: []\n";
  std::string out = "  inputs:\n";
  if (!findings.logs.empty()) out += "    - type: file\n      paths:\n";
  for (const auto& path : findings.logs) out += fmt::format("        - {}\n", pipeline::yaml_scalar(path));
  if (findings.journal) out += "    - type: journald\n";
  return out;
}

std::string section_text(const pipeline::ConfigSection& section, const Findings& findings) {
  const bool list = section.name.ends_with("[]");
  std::string out = "\n" + commented(section.help, 0);
  if (section.name == "storage" && !findings.environment.empty()) {
    std::string names;
    for (const auto& name : findings.environment) names += (names.empty() ? "" : ", ") + name;
    out += commented("Set in the environment when this file was made: " + names + ".", 0);
  }
  out += fmt::format("{}:\n", section.name.substr(0, section.name.size() - (list ? 2 : 0)));
  return out + keys_of(section, list);
}

std::string logging_text(const std::vector<pipeline::ConfigSection>& sections, const Findings& findings) {
  std::string out = "\n# What is read.\nlogging:\n";
  for (const auto& section : sections) {
    if (section.name != "logging") continue;
    for (const auto& card : section.cards) out += commented(card.help, 2) + fmt::format("  # {}:\n\n", card.name);
  }
  out += inputs_of(findings);
  for (const auto& section : sections) {
    if (!section.name.starts_with("logging.inputs")) continue;
    const auto type = section.name.find("type:");
    out += type == std::string::npos ? "\n  # Keys of every input:\n"
                                     : fmt::format("\n  # Keys of an input of {}:\n", section.name.substr(type));
    for (const auto& card : section.cards) {
      out += commented(fmt::format("{}: {}", card.name, help_with_words(card)), 4);
      if (!card.fallback.empty()) out += fmt::format("    #   default {}\n", card.fallback);
    }
  }
  return out;
}

}  // namespace

Findings find_on_this_machine(Shell& shell, const std::string& hostname, const std::string& root) {
  Files& files = shell.world.files;
  Findings found;
  found.name = enclave_name(hostname);
  if (any_readable(files, root + "/var/log", ".log")) found.logs.push_back(root + "/var/log/**/*.log");
  for (const auto name : kKnownLogs) {
    const std::string path = fmt::format("{}/var/log/{}", root, name);
    if (files.open(path)) found.logs.push_back(path);
  }
  for (const auto directory : {"/var/log/journal", "/run/log/journal"})
    found.journal = found.journal || any_readable(files, root + directory, ".journal");
  for (const auto name : kEnvironment)
    if (shell.environment(name)) found.environment.emplace_back(name);
  return found;
}

std::string starter_config(const Findings& findings, std::string_view state) {
  const auto sections = pipeline::config_manual();
  std::string out =
      "# Configuration of enclave. Every key stands here with its default, behind a #; remove the # to change it.\n"
      "# After a change: enclave check. All about a key: enclave man enclave.yaml | man -l -\n";
  for (const auto& section : sections) {
    if (!section.name.empty()) continue;
    for (const auto& card : section.cards) {
      const std::string value = card.name == "enclave" ? pipeline::yaml_scalar(findings.name)
                                : card.name == "state" ? pipeline::yaml_scalar(state)
                                                       : default_of(card);
      out += "\n" + commented(card.help, 0) + fmt::format("{}: {}\n", card.name, value);
    }
  }
  bool logging = false;
  for (const auto& section : sections) {
    if (section.name.empty()) continue;
    if (section.name != "logging" && !section.name.starts_with("logging.")) {
      out += section_text(section, findings);
    } else if (!std::exchange(logging, true)) {
      out += logging_text(sections, findings);
    }
  }
  return out;
}

Result<Started> write_starter(const Arguments& arguments, Shell& shell, bool force) {
  Started started;
  started.path = TRY(config_path(arguments, shell));
  const io::Host host = TRY(io::this_host(shell.world.files));
  started.findings = find_on_this_machine(shell, host.hostname);
  if (arguments.has("name")) {
    started.findings.name = arguments.value("name");
    if (!pipeline::is_enclave_name(started.findings.name))
      return Error{Fault::invalid, "--name: \"{}\" is not a name; 1 to 64 letters, digits, \".\", \"_\" and \"-\"",
                   started.findings.name};
  }
  const std::string text = starter_config(started.findings, arguments.has("dir") ? "state" : "/var/lib/enclave");
  auto made = make_directories(shell.world.files, parent_of(started.path));
  if (made)
    made = force ? replace_file(shell.world.files, started.path, text)
                 : create_file(shell.world.files, started.path, text);
  if (made) return started;
  if (made.error().fault() == Fault::conflict && shell.world.files.info(started.path))
    return Error{Fault::conflict, "{} is there already; --force replaces it", started.path};
  if (made.error().fault() == Fault::denied)
    return Error{Fault::denied, "{}; do it as root, or put everything into a directory of yours with --dir DIR",
                 made.error().text()};
  return std::move(made).error();
}

}  // namespace enclave::cli
