#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ports.h"

/// The positions that a Filebeat left behind, so that whoever changes over reads nothing twice.
namespace enclave::pipeline::filebeat {

inline constexpr std::size_t kRegistryBytesMax = 256 << 20;  ///< of one file
inline constexpr std::size_t kRegistryEntriesMax = 1'000'000;
inline constexpr std::size_t kRegistryPathBytesMax = 4096;

struct RegistryEntry {
  std::string key;          ///< of the newest form, such as "filebeat::logs::native::7-64768"; else ""
  std::string source;       ///< path of the file
  std::uint64_t inode = 0;  ///< 0 when the registry does not say
  std::uint64_t device = 0;
  std::uint64_t offset = 0;                  ///< bytes that were sent and acknowledged
  std::optional<std::int64_t> timestamp_ns;  ///< when it was last written; since the Unix epoch
  std::int64_t ttl_ns = -1;                  ///< -1: kept for ever; 0: to be forgotten
  std::string type;                          ///< "log", "container", "filestream", …
  std::string identifier_name;               ///< "native", "path", "fingerprint", "inode_marker"; "" in the old forms
};

struct RegistryImport {
  std::vector<RegistryEntry> entries;  ///< in the order of their keys
  std::uint64_t damaged = 0;           ///< lines and entries that could not be read, or contradict themselves
  std::uint64_t others = 0;            ///< sound entries without a position in a file, such as those of other inputs
};

/// The JSON array of generation 6 (`registry`), of 7.0 to 7.8 (`registry/filebeat/data.json`), or a checkpoint of the
/// newest form (`NNN.json`). Fault::corrupt when it is no such array at all, Fault::limit when it is too large.
Result<RegistryImport> parse_registry_array(std::string_view json);

/// A checkpoint ("" when there is none yet) with its operations on top: `log.json` of 7.9 and newer, where a line says
/// what is done and the next one to which key. Operations of `checkpoint_id` and before are in the checkpoint already.
Result<RegistryImport> parse_registry_log(std::string_view checkpoint, std::uint64_t checkpoint_id,
                                          std::string_view log);

/// `path` is the file of generation 6, or the folder `registry`, or `registry/filebeat` in it. Fault::absent when
/// nothing of Filebeat's is there; Fault::unsupported for a version that is not known.
Result<RegistryImport> import_registry(Files& files, const std::string& path);

}  // namespace enclave::pipeline::filebeat
