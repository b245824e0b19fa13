#include "cli/check_storage.h"

#include "base/time.h"
#include "cli/config_file.h"
#include "cli/live.h"
#include "control/storage_reach.h"
#include "report/layout.h"

namespace enclave::cli {
namespace {

using cloud::Capabilities;
using cloud::Support;
using report::printable;

struct Group {
  Support support;
  std::string_view heading;
};
constexpr Group kGroups[] = {
    {Support::works, "Works:"},
    {Support::accepted_not_enforced, "Accepted, and not enforced (a setting here protects nothing):"},
    {Support::refused, "Refused:"},
    {Support::absent, "Absent:"},
    {Support::unknown, "Could not be found out:"},
};

void show_evidence(std::string_view evidence, std::ostream& out) {
  while (!evidence.empty()) {
    const std::size_t end = std::min(evidence.find('\n'), evidence.size());
    out << "      " << printable(evidence.substr(0, end)) << "\n";
    evidence.remove_prefix(std::min(end + 1, evidence.size()));
  }
}

void show(const Capabilities& found, bool verbose, std::ostream& out) {
  out << found.endpoint << (found.server.empty() ? "" : " (" + printable(found.server) + ")") << ", tried at "
      << format_time(found.probed_wall_ns).substr(0, 19) << "Z\n";
  for (const auto& group : kGroups) {
    bool headed = false;
    for (const auto& one : found.all) {
      if (one.support != group.support) continue;
      if (!std::exchange(headed, true)) out << "\n" << group.heading << "\n";
      out << "  " << one.title << "\n";
      if (verbose) show_evidence(one.evidence, out);
    }
  }
  for (const auto& name : found.left)
    out << "\nThe canary bucket " << name << " is still locked; it is removed the next time this is asked.\n";
  if (!verbose) out << "\nWith --verbose: what was sent and answered.\n";
}

}  // namespace

int check_storage(const pipeline::Config& config, const Arguments& arguments, Shell& shell) {
  const auto storage = control::open_storage(shell.world, config, shell.environment);
  Live live(shell.out, shell.err, shell.err_terminal);
  const auto found = storage->probe([&](std::string_view title) { live.line(title); });
  live.clear();
  if (!found) return fail(shell, "check", found.error());
  if (arguments.has("json")) {
    shell.out << cloud::format_capabilities(**found) << "\n";
  } else {
    show(**found, arguments.has("verbose"), shell.out);
  }
  return kGood;
}

}  // namespace enclave::cli
