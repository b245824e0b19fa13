#include "cli/config_file.h"

#include "base/files.h"

namespace enclave::cli {

std::string absolute_path(const Shell& shell, std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  while (path.starts_with("./")) path.remove_prefix(2);
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path.empty() || path == "." ? shell.directory : join_path(shell.directory, path);
}

std::string user_state(const Shell& shell) {
  return user_state_directory(shell.environment("XDG_STATE_HOME").value_or(""), shell.environment("HOME").value_or(""));
}

Result<std::string> config_path(const Arguments& arguments, const Shell& shell) {
  if (arguments.has("config") && arguments.has("dir"))
    return Error{Fault::invalid, "--config and --dir exclude each other; --dir DIR means --config DIR/enclave.yaml"};
  if (arguments.has("config")) return absolute_path(shell, arguments.value("config"));
  if (arguments.has("dir")) return join_path(absolute_path(shell, arguments.value("dir")), "enclave.yaml");
  return std::string(pipeline::kDefaultConfigPath);
}

Result<pipeline::Config> load(const Arguments& arguments, Shell& shell) {
  const std::string path = TRY(config_path(arguments, shell));
  Diagnostics diagnostics;
  auto config = pipeline::load_config(shell.world.files, path, diagnostics, arguments.value("config"));
  shell.err << diagnostics.text();
  if (!config && config.error().fault() == Fault::absent)
    return Error{Fault::absent, "{} is not there; make one with: enclave init", arguments.value("config", path)};
  return config;
}

std::string flow_state(const Arguments& arguments, const std::string& path) {
  return arguments.has("dir") ? join_path(parent_of(path), "state") : pipeline::Config().state;
}

Result<std::string> state_directory(const Arguments& arguments, Shell& shell) {
  const std::string path = TRY(config_path(arguments, shell));
  const auto there = shell.world.files.info(path);
  if (!there && there.error().fault() == Fault::absent && !arguments.has("config")) {
    const std::string state = flow_state(arguments, path);
    if (shell.world.files.info(join_path(state, "flows"))) return state;
  }
  return TRY(load(arguments, shell)).state;
}

int fail(Shell& shell, std::string_view verb, const Error& error) {
  shell.err << "enclave " << verb << ": " << error.text() << "\n";
  const bool usage = error.fault() == Fault::invalid && error.text().starts_with("--");
  return usage ? kUsage : kFailed;
}

}  // namespace enclave::cli
