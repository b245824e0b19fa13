#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ports.h"
#include "control/control.h"

/// What `enclave apply` replaced, on this disk before it is replaced (docs/formats/undo.md).
namespace enclave::control {

inline constexpr std::uint64_t kUndoLineBytesMax = 1 << 20;
inline constexpr std::uint64_t kUndoFileBytesMax = 64 << 20;

/// `STATE/control/applied`.
std::string undo_directory(const std::string& state_directory);

struct KeptChange {
  std::string control;  ///< id
  Subject subject;
  Change change;
  std::int64_t wall_ns = 0;
  bool undone = false;
};

/// One run of apply, in the order in which the changes were made.
struct AppliedRun {
  std::uint64_t number = 0;
  std::string target;  ///< the endpoint that was changed
  std::int64_t wall_ns = 0;
  std::vector<KeptChange> changes;
  bool all_undone() const;
};

/// One run being written. The file is made with the first change. One process at a time.
class UndoJournal {
 public:
  UndoJournal(World world, std::string directory, std::string target)
      : world_(world), directory_(std::move(directory)), target_(std::move(target)) {}

  /// On the disk when it returns. When it fails, the change must not be made: what may have been written of it is taken
  /// away again, and where that fails too, every later call fails.
  Result<void> keep(const Control& control, const Subject& subject, const Change& change);
  /// Of this run; 0 while nothing is kept.
  std::uint64_t number() const { return number_; }

 private:
  Result<void> begin();
  Result<void> append(std::string line);

  World world_;
  std::string directory_;
  std::string target_;
  std::unique_ptr<File> file_;
  std::uint64_t number_ = 0;
  std::uint64_t bytes_ = 0;
  bool broken_ = false;
};

/// The text of one run's file. What cannot be read at its end says nothing: it was not on the disk yet, so its change
/// was never made. Where something readable stands behind it, it is damage.
/// Fault::corrupt (with the line) or Fault::limit.
Result<AppliedRun> parse_applied(std::string_view text);

/// The newest run with a change that is not undone; none when there is no such run.
Result<std::optional<AppliedRun>> newest_to_undo(Files& files, const std::string& directory);

/// Remembers that changes[index] of the run is undone. Idempotent.
Result<void> mark_undone(Files& files, const std::string& directory, std::uint64_t number, std::size_t index);

}  // namespace enclave::control
