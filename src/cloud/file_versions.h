#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ports.h"

/// How a file store names what it keeps of one key (docs/formats/log-layout.md).
namespace enclave::cloud {

inline constexpr std::string_view kVersionsDirectory = ".enclave-versions";
inline constexpr std::string_view kTemporaryDirectory = ".enclave-tmp";

struct KeptVersion {
  enum class Kind : std::uint8_t {
    object,   ///< "<number>": an older version
    marker,   ///< "<number>.deleted": the key was deleted then
    removed,  ///< "<number>.removed": was removed by its number; keeps the numbers of the others
  };
  std::uint64_t number = 0;
  Kind kind = Kind::object;
};

/// What there is of one key.
struct KeyState {
  std::optional<FileInfo> plain;  ///< the latest version, unless the key is deleted
  std::vector<KeptVersion> kept;  ///< highest number first
  std::uint64_t highest() const { return kept.empty() ? 0 : kept.front().number; }
  /// The highest older version that is neither a marker nor removed.
  const KeptVersion* newest_object() const;
  /// Number of the plain file.
  std::uint64_t latest = 0;
};

/// 20 digits, and the ending of the kind.
std::string name_of(KeptVersion version);
/// The inverse; nothing for another name.
std::optional<KeptVersion> kept_version(std::string_view name);
/// "3" for people and callers would sort badly: a version is its 20 digits.
std::string version_text(std::uint64_t number);
std::optional<std::uint64_t> version_number(std::string_view text);

/// Looks at the plain file and at the versions' directory. While a version is being replaced, or after a crash in the
/// midst of it, the plain file is also the newest kept version (a hard link): it then counts once, under its old
/// number.
Result<KeyState> state_of(Files& files, const std::string& plain_path, const std::string& versions_path);

/// A key whose path stays below the store's directory and clear of what the store keeps for itself: 1 to 1,024 bytes of
/// UTF-8; components of 1 to 255 bytes that do not begin with a dot; no NUL. Fault::invalid otherwise.
Result<void> check_file_key(std::string_view key);

}  // namespace enclave::cloud
