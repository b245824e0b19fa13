#include "cli/control_session.h"

#include "cli/config_file.h"
#include "control/waivers.h"

namespace enclave::cli {
namespace {

/// "a,b" and repetitions.
Strings names_of(const Arguments& arguments, std::string_view option) {
  Strings names;
  for (const std::string& value : arguments.values(option)) {
    for (std::string_view rest = value; !rest.empty();) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (comma > 0) names.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return names;
}

}  // namespace

ControlSession::ControlSession(pipeline::Config config, const Arguments& arguments, Shell& shell)
    : config_(std::move(config)),
      live_(shell.out, shell.err, shell.err_terminal),
      storage_(control::open_storage(shell.world, config_, shell.environment)),
      reach_{shell.world, config_, *storage_},
      scope_{control::all_controls(),
             {names_of(arguments, "only"), names_of(arguments, "subject")},
             [this](std::string_view text) { live_.line(text); }} {}

Result<std::unique_ptr<ControlSession>> ControlSession::open(const Arguments& arguments, Shell& shell) {
  auto config = TRY(load(arguments, shell));
  Diagnostics warnings;
  control::check_waivers(config, control::all_controls(), shell.world.clock.wall_ns(), warnings);
  shell.err << warnings.text();
  return std::unique_ptr<ControlSession>(new ControlSession(std::move(config), arguments, shell));
}

}  // namespace enclave::cli
