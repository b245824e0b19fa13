#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "archive/log_source.h"
#include "archive/note.h"
#include "crypto/age.h"

/// Is the log whole? Needs no secret; with identities the records are checked too. docs/ASSURANCE.md says what each
/// verdict proves.
namespace enclave::archive {

enum class Verdict : std::uint8_t {
  // of one object
  ok,
  pending,
  modified,
  missing,
  extra,
  expired,
  unreadable,
  // of a log
  truncated,
  forked,
  stale,
  gap,
  clock,
};
/// "OK", "PENDING", …
std::string_view name_of(Verdict verdict);

/// What follows from a verdict for the exit status.
enum class Weight : std::uint8_t { good, note, inconclusive, violated };

/// One thing that is not simply in order, and which records it concerns.
struct Finding {
  Verdict verdict;
  Weight weight;
  std::string origin;
  std::string key;                     ///< the object, tile or checkpoint; empty for a whole log
  std::optional<std::uint64_t> index;  ///< leaf index
  std::optional<std::pair<std::uint64_t, std::uint64_t>> seq;
  std::int64_t time_first_ns = 0, time_last_ns = 0;  ///< 0: unknown
  std::vector<std::string> sources;
  std::string text;  ///< what is wrong, for a person
};

struct LogReport {
  std::string origin;
  std::uint64_t size = 0;  ///< leaves under the newest verified checkpoint
  std::uint64_t records = 0;
  std::uint64_t objects_ok = 0, objects = 0;
  std::uint64_t object_bytes = 0;
  std::uint64_t records_read = 0;  ///< decrypted and checked one by one
  std::int64_t time_first_ns = 0, time_last_ns = 0;
  std::string checkpoint;  ///< the newest verified one, as a signed note
  std::vector<Finding> findings;
};

struct VerifyReport {
  std::string source;
  std::vector<LogReport> logs;
  std::vector<Finding> findings;        ///< of no log: unknown objects, nothing to verify
  std::uint64_t findings_left_out = 0;  ///< beyond VerifyOptions::findings_max
  /// The worst of all.
  Weight weight() const;
  /// 0 good, 3 violated, 4 inconclusive.
  int exit_status() const;
};

struct VerifyProgress {
  std::uint64_t objects_done = 0, objects = 0, bytes_done = 0, bytes = 0;
};

struct VerifyOptions {
  std::vector<NoteVerifier> keys;  ///< trust anchors; a log whose anchor is not among them cannot be judged
  std::span<const crypto::AgeIdentity> identities;  ///< none: ciphertext only
  std::vector<std::string> last_seen;               ///< signed checkpoints that the log must not go behind
  std::optional<std::string> origin;                ///< only this log; default all
  std::vector<std::string> pending_objects;         ///< object keys that wait in this machine's outbox
  std::int64_t now_wall_ns = 0;
  std::int64_t stale_after_ns = 0;  ///< 0: silence is no finding
  unsigned threads = 1;
  std::uint64_t object_bytes_max = 1ULL << 30;
  std::size_t findings_max = 10'000;
  std::function<void(const VerifyProgress&)>
      progress;  ///< called from one thread at a time, at most some times a second
};

/// Fails only when nothing could be listed; everything else is a finding.
Result<VerifyReport> verify(LogSource& source, const VerifyOptions& options, Clock& clock);

}  // namespace enclave::archive
