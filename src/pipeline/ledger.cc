#include "pipeline/ledger.h"

namespace enclave::pipeline {
namespace {
// Ten thousand unreadable files are one problem.
constexpr std::size_t kTroublesMax = 1000;
}  // namespace

void Ledger::trouble(std::string_view subject, std::string_view text) {
  std::function<void(std::string_view, bool)> tell;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = troubles_.find(subject); found != troubles_.end()) {
      found->second = text;
      return;
    }
    if (troubles_.size() >= kTroublesMax) {
      ++troubles_left_out_;
      return;
    }
    troubles_.emplace(subject, text);
    tell = tell_;
  }
  if (tell) tell(text, false);
}

void Ledger::resolved(std::string_view subject) {
  std::function<void(std::string_view, bool)> tell;
  std::string text;
  {
    const std::lock_guard lock(mutex_);
    const auto found = troubles_.find(subject);
    if (found == troubles_.end()) return;
    text = found->second;
    troubles_.erase(found);
    tell = tell_;
  }
  if (tell) tell(text, true);
}

void Ledger::count(std::string_view name, std::int64_t by) {
  const std::lock_guard lock(mutex_);
  status_.counters[std::string(name)] += by;
}

void Ledger::change(const std::function<void(EngineStatus&)>& change) {
  const std::lock_guard lock(mutex_);
  change(status_);
}

EngineStatus Ledger::status() const {
  const std::lock_guard lock(mutex_);
  EngineStatus status = status_;
  for (const auto& [subject, text] : troubles_) status.troubles.push_back(text);
  if (troubles_left_out_ > 0)
    status.troubles.push_back(fmt::format("and {} more troubles of inputs", troubles_left_out_));
  return status;
}

void Ledger::on_wake(Stage stage, std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_[static_cast<std::size_t>(stage)] = std::move(wake);
}

void Ledger::wake(Stage stage) {
  std::function<void()> wake;
  {
    const std::lock_guard lock(mutex_);
    wake = wake_[static_cast<std::size_t>(stage)];
  }
  if (wake) wake();
}

void Ledger::on_trouble(std::function<void(std::string_view, bool)> tell) {
  const std::lock_guard lock(mutex_);
  tell_ = std::move(tell);
}

}  // namespace enclave::pipeline
