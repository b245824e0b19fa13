#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/encoding.h"
#include "sim/workload.h"

/// main_job_sim --seeds FROM COUNT | --seed N [--trace]: the main job under random workloads. Without arguments the
/// seed is taken from ENCLAVE_SIM_SEED. Exit status 1 when a seed fails; the replay command is printed.
namespace {

using enclave::sim::run_workload;

constexpr std::size_t kTraceLines = 100'000;

struct Arguments {
  std::uint64_t from = 1;
  std::uint64_t count = 100;
  bool trace = false;
};

int usage() {
  fmt::print(stderr, "usage: main_job_sim --seeds FROM COUNT | --seed N [--trace]\n");
  return 64;
}

bool parse(int argc, char** argv, Arguments& arguments) {
  const auto number = [&](int at, std::uint64_t& into) {
    const auto parsed =
        at < argc ? enclave::parse_number(argv[at]) : enclave::Error{enclave::Fault::invalid, "missing"};
    if (parsed) into = *parsed;
    return parsed.has_value();
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--trace") {
      arguments.trace = true;
    } else if (word == "--seed") {
      arguments.count = 1;
      if (!number(++i, arguments.from)) return false;
    } else if (word == "--seeds") {
      if (!number(i + 1, arguments.from) || !number(i + 2, arguments.count)) return false;
      i += 2;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (const char* seed = std::getenv("ENCLAVE_SIM_SEED")) {
    const auto parsed = enclave::parse_number(seed);
    if (!parsed) return usage();
    arguments = {.from = *parsed, .count = 1, .trace = false};
  }
  if (!parse(argc, argv, arguments)) return usage();
  std::uint64_t failed = 0;
  for (std::uint64_t seed = arguments.from; seed < arguments.from + arguments.count; ++seed) {
    // Printed before: should the program abort, this line says where.
    fmt::print("seed {}: ", seed);
    std::fflush(stdout);
    const auto run = run_workload(seed, arguments.trace);
    for (std::size_t i = 0; i < run.trace.size() && i < kTraceLines; ++i) fmt::print("  {}\n", run.trace[i]);
    fmt::print("{}\n", run.summary);
    for (const auto& text : run.wrong) fmt::print("  WRONG {}\n", text);
    if (run.wrong.empty()) continue;
    ++failed;
    fmt::print("  replay: {} --seed {} --trace\n", argv[0], seed);
  }
  if (failed > 0) fmt::print("{} of {} seeds failed\n", failed, arguments.count);
  return failed > 0 ? 1 : 0;
}
