#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"
#include "base/ports.h"
#include "event/batch.h"

namespace enclave::pipeline {

/// What inputs count and what they have to say. Thread-safe.
class InputLog {
 public:
  virtual ~InputLog() = default;
  /// For the user, said once per `subject` until `resolved` (a path, a cursor): "cannot read /var/log/x: …".
  virtual void trouble(std::string_view subject, std::string_view text) = 0;
  virtual void resolved(std::string_view subject) = 0;
  /// Adds to a counter that `status` shows: "lines_cut", "files_open", "bytes_lost".
  virtual void count(std::string_view name, std::int64_t by) = 0;
};

/// Where reading stood at the last durable commit: source name → state (SourceRange::state).
class Positions {
 public:
  virtual ~Positions() = default;
  virtual std::optional<std::string> find(std::string_view source) const = 0;
  /// All sources whose name begins with `prefix`, in byte order.
  virtual std::vector<std::pair<std::string, std::string>> all(std::string_view prefix) const = 0;
};

/// An open input. One thread at a time calls it. Everything it gave out in a batch is committed in that order.
class Input {
 public:
  virtual ~Input() = default;

  enum class Polled : std::uint8_t {
    more,  ///< the budget was used up: there is more to read now
    idle,  ///< nothing more now
    end,   ///< the input has ended for good (stdin closed, a given journal file read)
  };
  /// Reads what is there, about `budget` bytes at most (one line may exceed it up to its own limit), into `batch`.
  /// Never blocks. Trouble goes to the InputLog; an Error is a reason to stop the whole input.
  virtual Result<Polled> poll(event::Batch& batch, std::size_t budget) = 0;

  /// At shutdown, and at the end of `--once`: what was held back, such as a last line without a newline, is given out.
  virtual Result<Polled> finish(event::Batch& batch, std::size_t budget) = 0;

  /// What was given out and is not committed, and what is held back, is given out again by an input that is opened with
  /// the same positions: then one that is replaced while it runs need not finish().
  virtual bool reads_again() const { return false; }

  /// Called now and then, after at most a second, while what was given out waits and poll() is therefore not called.
  virtual void blocked() {}

  /// This batch is durable. Called in order, once for every batch that the input filled.
  virtual void committed(const event::Batch& batch) = 0;

  /// Descriptors that become readable when poll() may find something; they stay valid until the next poll().
  virtual std::vector<int> descriptors() const = 0;
  /// Boot time (ns) at which poll() wants to be called at the latest (scan interval, held back line).
  virtual std::int64_t next_poll_boot_ns() const = 0;
};

/// The configuration of one input, and what it is opened with. All of it outlives the Input.
struct InputSetup {
  const Node& config;  ///< the map as it stands in the configuration file
  World world;
  const Positions& positions;
  InputLog& log;
};

/// The card of an input plugin. One file of inputs/ defines one: `const InputPlugin plugin_<file name>`.
struct InputPlugin {
  std::string_view name;  ///< `type:` in the configuration
  std::string_view help;
  std::vector<OptionCard> (*options)();
  /// Only checks the configuration: every mistake goes to the diagnostics.
  void (*check)(const Node& config, Diagnostics& diagnostics);
  /// The configuration has been checked.
  Result<std::unique_ptr<Input>> (*open)(const InputSetup& setup);
  /// Mistakes that the inputs of this type make together, such as reading the same twice. nullptr: there are none.
  void (*check_together)(std::span<const Node* const> configs, Diagnostics& diagnostics) = nullptr;
};

/// Keys that every input's map may hold, read by the topology: `type`, `id`, `enabled`.
inline constexpr std::string_view kCommonInputKeys[] = {"type", "id", "enabled"};

/// Made by CMake from the files of inputs/.
std::span<const InputPlugin* const> input_plugins();

}  // namespace enclave::pipeline
