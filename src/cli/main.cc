#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>

#include "cli/parse.h"
#include "io/system.h"

namespace {

int run(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  std::error_code ignored;
  enclave::cli::Shell shell{
      .world = enclave::io::real_world(),
      .out = std::cout,
      .err = std::cerr,
      .out_terminal = isatty(STDOUT_FILENO) == 1,
      .err_terminal = isatty(STDERR_FILENO) == 1,
      .directory = std::filesystem::current_path(ignored).string(),
      .environment = [](std::string_view name) -> std::optional<std::string> {
        const char* value = std::getenv(std::string(name).c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
      },
      .in = &std::cin,
      .in_terminal = isatty(STDIN_FILENO) == 1,
  };
  // A server that hangs up must not end the program; writing to a pipe that nobody reads fails instead.
  std::signal(SIGPIPE, SIG_IGN);
  const int status = enclave::cli::run_command({argv + 1, argv + argc}, shell);
  if (!std::cout.flush()) {
    struct stat out {};
    if (fstat(STDOUT_FILENO, &out) == 0 && S_ISFIFO(out.st_mode)) return status;
    std::cerr << "enclave: the output could not be written\n";
    return status == enclave::cli::kGood ? enclave::cli::kFailed : status;
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  // Batches are made by one thread and freed by another: with an arena for each thread memory that is free in one of
  // them would be asked for again in another, twice as much in all.
  mallopt(M_ARENA_MAX, 2);
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "enclave: stopped: " << error.what() << "\n";
    return enclave::cli::kFailed;
  }
}
