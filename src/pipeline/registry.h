#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>

#include "base/ports.h"
#include "event/batch.h"
#include "pipeline/input.h"

namespace enclave::pipeline {

/// Position of every source as of the latest commit, and its snapshot file (docs/formats/registry.md). Thread-safe.
class Registry final : public Positions {
 public:
  /// Reads `path`, or its copy when that is damaged. What cannot be read is renamed to `….bad` and said in `notices`.
  Registry(Files& files, std::string path, std::vector<std::string>& notices);

  /// Fails when it is there, and neither it nor its copy could be read: to go on would read everything anew.
  Result<void> readable() const { return unread_ ? Result<void>(*unread_) : Result<void>{}; }

  std::optional<std::string> find(std::string_view source) const override;
  std::vector<std::pair<std::string, std::string>> all(std::string_view prefix) const override;

  /// A committed frame reached these positions.
  void apply(std::span<const event::SourceRange> ranges);
  /// Writes the snapshot, unless the file has it already. Durable when it returns.
  Result<void> save(std::uint64_t seq);

 private:
  Files& files_;
  const std::string path_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> states_;
  bool changed_ = false;
  std::optional<Error> unread_;
};

using RegistryStates = std::map<std::string, std::string, std::less<>>;
std::string format_registry(std::uint64_t seq, const RegistryStates& states);
/// Fault::corrupt names the line.
Result<RegistryStates> parse_registry(std::string_view text);

}  // namespace enclave::pipeline
