#include "cloud/file_versions.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/files.h"

namespace enclave::cloud {
namespace {
constexpr std::size_t kDigits = 20;
constexpr std::string_view kDeleted = ".deleted";
constexpr std::string_view kRemoved = ".removed";
}  // namespace

const KeptVersion* KeyState::newest_object() const {
  for (const auto& version : kept)
    if (version.kind == KeptVersion::Kind::object) return &version;
  return nullptr;
}

std::string version_text(std::uint64_t number) { return fmt::format("{:020}", number); }

std::optional<std::uint64_t> version_number(std::string_view text) {
  if (text.size() != kDigits) return std::nullopt;
  const auto first = std::min(text.find_first_not_of('0'), kDigits - 1);
  const auto number = parse_number(text.substr(first));
  if (!number || *number == 0) return std::nullopt;
  return *number;
}

std::string name_of(KeptVersion version) {
  using Kind = KeptVersion::Kind;
  const std::string_view ending = version.kind == Kind::marker    ? kDeleted
                                  : version.kind == Kind::removed ? kRemoved
                                                                  : "";
  return fmt::format("{:020}{}", version.number, ending);
}

std::optional<KeptVersion> kept_version(std::string_view name) {
  const auto number = version_number(name.substr(0, kDigits));
  if (!number) return std::nullopt;
  const std::string_view ending = name.substr(kDigits);
  if (ending.empty()) return KeptVersion{*number, KeptVersion::Kind::object};
  if (ending == kDeleted) return KeptVersion{*number, KeptVersion::Kind::marker};
  if (ending == kRemoved) return KeptVersion{*number, KeptVersion::Kind::removed};
  return std::nullopt;
}

Result<KeyState> state_of(Files& files, const std::string& plain_path, const std::string& versions_path) {
  KeyState state;
  if (auto plain = files.info(plain_path, false)) {
    if (plain->kind == FileKind::regular) state.plain = *plain;
  } else if (plain.error().fault() != Fault::absent) {
    return std::move(plain).error();
  }
  if (auto entries = files.list(versions_path)) {
    for (const auto& entry : *entries)
      if (entry.kind == FileKind::regular)
        if (const auto version = kept_version(entry.name)) state.kept.push_back(*version);
  } else if (entries.error().fault() != Fault::absent) {
    return std::move(entries).error();
  }
  std::sort(state.kept.begin(), state.kept.end(), [](const auto& a, const auto& b) { return a.number > b.number; });
  if (!state.plain) return state;
  state.latest = state.highest() + 1;
  if (const auto* newest = state.newest_object(); newest != nullptr && state.plain->links > 1) {
    auto kept = files.info(join_path(versions_path, name_of(*newest)), false);
    if (kept && kept->id == state.plain->id) state.latest = newest->number;
  }
  return state;
}

Result<void> check_file_key(std::string_view key) {
  const auto refuse = [&](std::string_view why) -> Result<void> {
    return Error{Fault::invalid, "the key \"{}\" cannot be a path in a file store: {}", key.substr(0, 100), why};
  };
  if (key.empty() || key.size() > 1024) return refuse("keys have 1 to 1,024 bytes");
  if (key.find('\0') != std::string_view::npos) return refuse("it holds a NUL byte");
  if (!is_utf8(key)) return refuse("it is not UTF-8");
  for (std::size_t begin = 0; begin <= key.size();) {
    const auto end = std::min(key.find('/', begin), key.size());
    const auto component = key.substr(begin, end - begin);
    if (component.empty()) return refuse("a part between slashes is empty");
    if (component.front() == '.') return refuse("a part between slashes begins with a dot");
    if (component.size() > 255) return refuse("a part between slashes has more than 255 bytes");
    begin = end + 1;
  }
  return {};
}

}  // namespace enclave::cloud
