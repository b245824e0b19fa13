#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "archive/log_source.h"
#include "crypto/age.h"
#include "event/record.h"

/// Which records of the archive match? It relies on what the leaves say (verify tells whether they are whole) and
/// gives out nothing from an object whose bytes are not those that its leaf names.
namespace enclave::archive {

struct SearchOptions {
  std::int64_t since_ns = std::numeric_limits<std::int64_t>::min();  ///< of Record::wall_ns, inclusive
  std::int64_t until_ns = std::numeric_limits<std::int64_t>::max();  ///< exclusive
  /// Glob patterns (fnmatch), one of which the source matches: whole ("file:/var/log/a.log@1f3a9c02") or by its path
  /// ("/var/log/a.log"). None: every source.
  std::vector<std::string> sources;
  std::vector<std::string> texts;  ///< each occurs in the line, byte by byte
  /// Each holds: seq, time, boot, src, pos, raw, or a member of what the input knows besides ("journal._PID", "_PID").
  std::vector<std::pair<std::string, std::string>> fields;
  std::optional<std::string> origin;  ///< only this log; saves a listing of the bucket
  std::span<const crypto::AgeIdentity> identities;
  std::uint64_t limit = 0;  ///< stop after this many; 0: never
  unsigned threads = 1;
  std::uint64_t object_bytes_max = 1ULL << 30;
  std::uint64_t plain_bytes_max = 4ULL << 30;  ///< what one object may unfold to
};

struct SearchHit {
  std::string origin;
  std::uint64_t leaf = 0;
  std::string line;  ///< the record in full, without its LF: a short one has what it shares put in
  event::Record record;
};

struct SearchTrouble {
  std::string key;
  Fault fault;
  std::string text;
};

struct SearchReport {
  std::uint64_t logs = 0;
  std::uint64_t objects = 0;  ///< that the leaves name
  std::uint64_t objects_searched =
      0;  ///< the others were passed over because of their times or sources, or by the limit
  std::uint64_t plain_bytes = 0;
  std::uint64_t hits = 0;
  bool stopped = false;                 ///< by the limit, or by `take`: there may be more
  std::vector<SearchTrouble> troubles;  ///< what could not be searched
};

/// Gives the matching records to `take`, newest object first, within an object the newest record first, from the
/// calling thread; `take` returns false to stop. Memory: for each thread the bytes of one object, its matching records
/// (at most `limit`) and the longest record. Fails only when nothing could be listed.
Result<SearchReport> search(LogSource& source, const SearchOptions& options,
                            const std::function<bool(const SearchHit&)>& take);

}  // namespace enclave::archive
