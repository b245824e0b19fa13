#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/input.h"

/// The positions that Logstash's file input left behind, so that whoever changes over reads nothing twice.
namespace enclave::pipeline {

struct SincedbEntry {
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;
  std::string path;  ///< empty in the old form
};

struct Sincedb {
  std::vector<SincedbEntry> entries;
  std::uint64_t unread = 0;  ///< lines that are none, or without a path
};

inline constexpr std::size_t kSincedbBytesMax = 16 << 20;

/// Lines of "inode major minor offset timestamp path"; the last two are missing in the old form. Cannot fail.
Sincedb parse_sincedb(std::string_view text);

/// Positions with those of a sincedb for files that have none yet.
class SincedbPositions final : public Positions {
 public:
  /// Looks at the files; what moved away since is left out. `own` outlives this.
  SincedbPositions(const Positions& own, const Sincedb& sincedb, Files& files);
  std::optional<std::string> find(std::string_view source) const override;
  std::vector<std::pair<std::string, std::string>> all(std::string_view prefix) const override;
  std::size_t taken() const { return states_.size(); }

 private:
  const Positions& own_;
  std::map<std::string, std::string, std::less<>> states_;
};

}  // namespace enclave::pipeline
