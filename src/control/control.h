#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ports.h"
#include "base/result.h"
#include "pipeline/config/config.h"

/// The control contract: one security requirement, declared once, in one file of a folder below control/. The runner
/// walks the same list for `plan`, `apply` and `audit`.
namespace enclave::control {

class Storage;

enum class Severity : std::uint8_t { low, medium, high, critical };

/// How a requirement stands. A check that could not be made is inconclusive, never a pass.
enum class State : std::uint8_t { pass, fail, inconclusive, not_applicable, waived };

/// A requirement of a published standard, such as {"NIST SP 800-53 rev. 5", "SC-8(1)"}.
struct Standard {
  std::string_view name;
  std::string_view id;
};

/// What a control is applied to: {"bucket", "log-storage-bucket-001"}.
struct Subject {
  std::string kind;
  std::string name;
};

/// What the runner keeps of each evidence.
inline constexpr std::size_t kEvidenceBytesMax = 4096;

/// Something that was read. `evidence`: the very bytes of the answer, or as many as say it.
struct Fact {
  std::string name;
  std::string value;
  std::string evidence;
};

struct Facts {
  std::vector<Fact> all;
  /// nullptr when there is no such fact.
  const Fact* find(std::string_view name) const;
  std::string_view value(std::string_view name) const;  ///< "" when there is none
};

/// The verdict on facts.
struct Finding {
  State state = State::inconclusive;
  std::string expected;
  std::string found;
  std::string evidence;
  std::string remedy;  ///< what the user can do; empty when `apply` does it
};

/// One line of a plan.
struct Step {
  std::string what;     ///< "policy of log-bucket: deny plain HTTP"
  std::string before;   ///< what is there now, readable, may have many lines; empty: nothing
  std::string after;    ///< what will be there
  std::string caution;  ///< what the user should know first: "cannot be undone", "takes long"; usually empty
  bool reversible = true;
};

/// What is about to be changed, and all that is needed to put it back. The runner keeps it (0600) before the change is
/// made; `undo` is a text of the control's own.
struct Change {
  std::string what;
  std::string undo;  ///< empty: cannot be undone, and the plan's step has said so
};

/// One active, harmless attempt on a canary: what should be refused was tried, or what should work.
struct Trial {
  std::string tried;     ///< "anonymous GET of a canary object"
  std::string expected;  ///< "refused"
  std::string found;     ///< "403 AccessDenied"
  State state = State::inconclusive;
  std::string evidence;  ///< request line and the bytes of the answer, no secrets
};

/// The world that controls reach. All of it outlives the call.
struct Reach {
  World world;
  const pipeline::Config& config;
  Storage& storage;
};

using Keep = std::function<Result<void>(const Change&)>;

/// The card of a control. One file of storage/, host/, … defines one: `const Control control_<file name>`.
struct Control {
  std::string_view id;     ///< "storage.versioning": folder, dot, file name
  std::string_view title;  ///< the requirement as a sentence: "Buckets keep every version of an object."
  std::string_view why;    ///< what happens without it
  Severity severity;
  std::span<const Standard> standards;
  /// Ids of controls that must be enforced before, such as "storage.exists".
  std::span<const std::string_view> after;

  /// What it applies to under this configuration; may be empty.
  std::vector<Subject> (*subjects)(const pipeline::Config& config);
  /// Reads only. An error makes the finding inconclusive, with its text.
  Result<Facts> (*observe)(Reach& reach, const Subject& subject);
  /// Pure.
  Finding (*judge)(const Facts& facts, const pipeline::Config& config, const Subject& subject);
  /// Pure: what enforce() would do on these facts. Empty when there is nothing to change, or nothing that can be
  /// changed (then judge() says so in `remedy`).
  std::vector<Step> (*plan)(const Facts& facts, const pipeline::Config& config, const Subject& subject);
  /// Idempotent. Calls `keep` before each change, and does not make the change when that fails. Fails at the first
  /// error; what was done until then has been kept and can be undone.
  Result<void> (*enforce)(Reach& reach, const Subject& subject, const Facts& facts, const Keep& keep);
  /// Puts back one change. Succeeds when it is back already.
  Result<void> (*undo)(Reach& reach, const Subject& subject, const Change& change);
  /// Tries. Leaves nothing behind that it can remove. An error makes the proof inconclusive. nullptr: cannot be tried.
  Result<std::vector<Trial>> (*prove)(Reach& reach, const Subject& subject);
};

/// Made by CMake from the files of the folders below control/, in the order of their names.
std::span<const Control* const> all_controls();

/// In an order in which each comes behind those it names in `after`. Controls named there that do not exist, and
/// circles, are bugs (ENSURE).
std::vector<const Control*> in_order(std::span<const Control* const> controls);

std::string_view name_of(Severity severity);
std::string_view name_of(State state);

}  // namespace enclave::control
