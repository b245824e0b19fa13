#pragma once

#include <map>
#include <mutex>
#include <string>

#include "pipeline/input.h"

namespace enclave::pipeline {

/// What one plugin counts, kept for itself besides what the flow counts in all. Thread-safe.
class PluginLog final : public InputLog {
 public:
  /// `all` outlives it.
  explicit PluginLog(InputLog& all) : all_(all) {}

  void trouble(std::string_view subject, std::string_view text) override { all_.trouble(subject, text); }
  void resolved(std::string_view subject) override { all_.resolved(subject); }
  void count(std::string_view name, std::int64_t by) override {
    all_.count(name, by);
    const std::lock_guard lock(mutex_);
    counters_[std::string(name)] += by;
  }
  std::map<std::string, std::int64_t> counters() const {
    const std::lock_guard lock(mutex_);
    return counters_;
  }

 private:
  InputLog& all_;
  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t> counters_;
};

}  // namespace enclave::pipeline
