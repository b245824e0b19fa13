#pragma once

#include <string>
#include <vector>

#include "cli/trials.h"

namespace enclave::cli {

inline constexpr std::uint64_t kCasesBytesMax = 1 << 20;

struct CaseResult {
  std::string name;
  std::vector<std::string> differences;
};

/// Runs a file of test cases (docs/LOGSTASH.md): a YAML or JSON list of maps with `line` or `event`, and `expect`,
/// `events` or `dropped`. A case is for the pipeline or the input that it names; without a name there is one only.
/// Mistakes in the file itself go to the diagnostics.
std::vector<CaseResult> run_cases(std::string_view text, const std::string& file, Trials& trials, std::int64_t now_ns,
                                  Diagnostics& diagnostics);

}  // namespace enclave::cli
