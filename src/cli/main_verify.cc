#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "archive/seen.h"
#include "cli/verification.h"
#include "io/system.h"

/// enclave-verify: the verifier alone, for who trusts nothing else. Reads a directory; links no network code.
namespace {

using namespace enclave;  // NOLINT(google-build-using-namespace)

constexpr int kFailed = 1, kUsage = 64;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int verify(const cli::Verification& wanted) {
  const auto source = archive::directory_source(io::real_files(), wanted.directory);
  const auto status = cli::run_verification(*source, wanted, io::real_world(), "enclave-verify", std::cout, std::cerr);
  if (!status) {
    std::cerr << "enclave-verify: " << status.error().text() << "\n";
    return status.error().fault() == Fault::invalid ? kUsage : kFailed;
  }
  if (!std::cout.flush()) {
    std::cerr << "enclave-verify: the output could not be written\n";
    return std::max(kFailed, *status);
  }
  return *status;
}

int run(int argc, char** argv) {
  cli::Verification wanted;
  bool no_seen = false;
  CLI::App app{
      "Proves from a copied log bucket that nobody changed, removed or added anything.\n"
      "Exit status: 0 good, 1 could not do it, 3 violated, 4 could not tell, 64 wrong usage.",
      "enclave-verify"};
  app.add_option("DIR", wanted.directory, "The copy: the directory that holds \"v1\"")->required();
  app.add_option("--key", wanted.keys, "Trust anchor: a verifier key, or a file with some (@FILE)");
  app.add_option("--identity", wanted.identities, "age identity file: the records are decrypted and checked too");
  app.add_option("--origin", wanted.origin, "Only this log");
  app.add_option("--last-seen", wanted.last_seen, "A checkpoint that the log must not go behind");
  auto* seen =
      app.add_option("--seen", wanted.seen, "Where the newest checkpoints seen are kept [~/.local/state/enclave/seen]");
  app.add_flag("--no-seen", no_seen, "Neither read nor keep them")->excludes(seen);
  app.add_option("--threads", wanted.threads, "How many objects are read at once [one per core]")
      ->check(CLI::Range(1U, 1024U));
  app.add_flag("--json", wanted.json, "Print one JSON object");
  app.add_flag("--explain", wanted.explain, "Print a sh script that checks the same with public tools");
  app.add_flag("--quiet", wanted.quiet, "Print nothing; the exit status tells");
  app.set_version_flag("--version", "enclave-verify " ENCLAVE_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::cerr << "enclave-verify: " << error.what() << "\nSee: enclave-verify --help\n";
    return kUsage;
  }
  if (no_seen) {
    wanted.seen.clear();
  } else if (wanted.seen.empty()) {
    wanted.seen = archive::seen_directory(environment("XDG_STATE_HOME"), environment("HOME"));
  }
  wanted.progress = !wanted.quiet && !wanted.json && isatty(STDERR_FILENO) == 1;
  return verify(wanted);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "enclave-verify: stopped: " << error.what() << "\n";
    return kFailed;
  }
}
