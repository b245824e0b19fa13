#pragma once

#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "pipeline/engine.h"

namespace enclave::pipeline {

/// What the stages tell the world, and how they wake each other. Thread-safe.
class Ledger final : public InputLog {
 public:
  void trouble(std::string_view subject, std::string_view text) override;
  void resolved(std::string_view subject) override;
  void count(std::string_view name, std::int64_t by) override;

  /// Changes the status under its lock.
  void change(const std::function<void(EngineStatus&)>& change);
  EngineStatus status() const;

  void on_wake(Stage stage, std::function<void()> wake);
  void wake(Stage stage);
  /// Called once for each new trouble and each end of one.
  void on_trouble(std::function<void(std::string_view text, bool over)> tell);

 private:
  mutable std::mutex mutex_;
  EngineStatus status_;
  std::map<std::string, std::string, std::less<>> troubles_;
  std::uint64_t troubles_left_out_ = 0;
  std::array<std::function<void()>, 3> wake_;
  std::function<void(std::string_view, bool)> tell_;
};

}  // namespace enclave::pipeline
