#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/source.h"

/// What a flow leaves to the one that replaces it: inputs that both have go on with their connections, half read lines
/// and open files, as if nothing had happened.
namespace enclave::pipeline {

/// Tells whichever flow the input belongs to now, also what was wrong before that came. Thread-safe, move_to() aside.
class MovableLog final : public InputLog {
 public:
  void trouble(std::string_view subject, std::string_view text) override;
  void resolved(std::string_view subject) override;
  void count(std::string_view name, std::int64_t by) override { to_->count(name, by); }
  /// While nobody uses the input. `to` outlives that.
  void move_to(InputLog& to);

 private:
  static constexpr std::size_t kTroublesMax = 1000;  ///< of more the next flow does not hear
  InputLog* to_ = nullptr;
  std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> troubles_;
};

/// The positions of whichever flow the input belongs to now. Thread-safe, move_to() aside.
class MovablePositions final : public Positions {
 public:
  std::optional<std::string> find(std::string_view source) const override { return at_->find(source); }
  std::vector<std::pair<std::string, std::string>> all(std::string_view prefix) const override {
    return at_->all(prefix);
  }
  /// While nobody uses the input. `at` outlives that.
  void move_to(const Positions& at) { at_ = &at; }

 private:
  const Positions* at_ = nullptr;
};

/// What an open input stands on.
struct SourceGround {
  MovableLog log;
  MovablePositions positions;
  std::shared_ptr<const void> made_from;  ///< the configuration, to which the source refers
};

struct Heirloom {
  std::string recipe;
  std::unique_ptr<Source> source;
  std::unique_ptr<SourceGround> ground;
  std::unique_ptr<Input> input;
};

/// Not thread-safe.
class FlowEstate {
 public:
  void add(Heirloom one) { inputs_.push_back(std::move(one)); }
  bool has(std::string_view recipe) const;
  /// The input of that recipe, once.
  std::optional<Heirloom> take(std::string_view recipe);
  std::size_t size() const { return inputs_.size(); }

 private:
  std::vector<Heirloom> inputs_;
};

}  // namespace enclave::pipeline
