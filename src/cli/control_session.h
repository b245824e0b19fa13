#pragma once

#include <memory>

#include "cli/live.h"
#include "cli/verb.h"
#include "control/runner.h"
#include "control/storage_reach.h"

/// What plan, apply and audit begin with.
namespace enclave::cli {

inline constexpr OptionSpec kOnlyOption{
    0,    "only",
    "ID", "Only this control, such as storage.versioning; what it needs is looked at. May be repeated, or ID,ID.",
    true, Completes::nothing,
    {}};
inline constexpr OptionSpec kSubjectOption{
    0, "subject", "NAME", "Only this bucket. May be repeated, or NAME,NAME.", true, Completes::nothing, {}};

/// Stays where it is: its parts refer to each other.
class ControlSession {
 public:
  /// The configuration with its warnings (to shell.err), the store behind it, the controls and the filter.
  static Result<std::unique_ptr<ControlSession>> open(const Arguments& arguments, Shell& shell);

  ControlSession(const ControlSession&) = delete;
  ControlSession& operator=(const ControlSession&) = delete;

  const pipeline::Config& config() const { return config_; }
  const std::string& target() const { return config_.storage.endpoint; }
  control::Reach& reach() { return reach_; }
  const control::Scope& scope() const { return scope_; }
  /// Takes the line of the progress away before something else is printed.
  void clear_progress() { live_.clear(); }

 private:
  ControlSession(pipeline::Config config, const Arguments& arguments, Shell& shell);

  pipeline::Config config_;
  Live live_;
  std::unique_ptr<control::Storage> storage_;
  control::Reach reach_;
  control::Scope scope_;
};

}  // namespace enclave::cli
