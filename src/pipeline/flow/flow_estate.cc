#include "pipeline/flow/flow_estate.h"

#include <algorithm>

namespace enclave::pipeline {

void MovableLog::trouble(std::string_view subject, std::string_view text) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = troubles_.find(subject); known != troubles_.end()) {
      known->second = text;
    } else if (troubles_.size() < kTroublesMax) {
      troubles_.emplace(subject, text);
    }
  }
  to_->trouble(subject, text);
}

void MovableLog::resolved(std::string_view subject) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = troubles_.find(subject); known != troubles_.end()) troubles_.erase(known);
  }
  to_->resolved(subject);
}

void MovableLog::move_to(InputLog& to) {
  to_ = &to;
  const std::lock_guard lock(mutex_);
  for (const auto& [subject, text] : troubles_) to_->trouble(subject, text);
}

bool FlowEstate::has(std::string_view recipe) const {
  return !recipe.empty() && std::ranges::find(inputs_, recipe, &Heirloom::recipe) != inputs_.end();
}

std::optional<Heirloom> FlowEstate::take(std::string_view recipe) {
  const auto found = std::ranges::find(inputs_, recipe, &Heirloom::recipe);
  if (recipe.empty() || found == inputs_.end()) return std::nullopt;
  Heirloom one = std::move(*found);
  inputs_.erase(found);
  return one;
}

}  // namespace enclave::pipeline
