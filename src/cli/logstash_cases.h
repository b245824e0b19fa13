#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/verb.h"
#include "pipeline/logstash/program.h"
#include "pipeline/logstash/zones.h"

namespace enclave::cli {

inline constexpr std::uint64_t kCasesBytesMax = 1 << 20;

/// A Logstash configuration with its filters ready to run.
class LogstashFile {
 public:
  explicit LogstashFile(Shell& shell);
  LogstashFile(const LogstashFile&) = delete;
  LogstashFile& operator=(const LogstashFile&) = delete;

  /// A file, a folder or a glob. Mistakes go to the diagnostics; then there is no program.
  void load(const std::string& path, Shell& shell, Diagnostics& diagnostics);
  const pipeline::logstash::Configuration& configuration() const { return configuration_; }
  pipeline::logstash::Program* program() { return program_.get(); }

 private:
  pipeline::logstash::SystemZones zones_;
  pipeline::logstash::ZoneLookup lookup_;
  pipeline::FilterWorld world_;
  pipeline::logstash::Configuration configuration_;
  std::unique_ptr<pipeline::logstash::Program> program_;
};

struct CaseResult {
  std::string name;
  std::vector<std::string> differences;
};

/// The event that an input would make of a line.
event::Document line_event(std::string_view line, std::int64_t now_ns, event::Arena& arena);

/// Runs a file of test cases (docs/LOGSTASH.md): a YAML or JSON list of maps with `line` or `event`, and `expect` or
/// `dropped`. Mistakes in the file itself go to the diagnostics.
std::vector<CaseResult> run_cases(std::string_view text, const std::string& file, pipeline::logstash::Program& program,
                                  std::int64_t now_ns, Diagnostics& diagnostics);

}  // namespace enclave::cli
