#include "archive/verify_inventory.h"

#include <algorithm>

#include "base/encoding.h"

namespace enclave::archive {
namespace {

constexpr std::size_t kIndexDigits = 20;
constexpr std::size_t kPartBytesMax = 64;

bool is_origin_part(std::string_view part) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !part.empty() && part.size() <= kPartBytesMax && part.find_first_not_of(kAllowed) == std::string_view::npos;
}

/// "v1/a/b/g1/rest" → "a/b/g1", and `key` is cut to "rest". Empty when the key is of no log.
std::string_view split_origin(std::string_view& key) {
  if (!key.starts_with("v1/")) return {};
  const std::string_view behind = key.substr(3);
  std::size_t end = 0;
  for (int part = 0; part < 3; ++part) {
    const std::size_t slash = behind.find('/', end);
    if (slash == std::string_view::npos) return {};
    const std::string_view text = behind.substr(end, slash - end);
    if (!is_origin_part(text)) return {};
    if (part == 2 && (text[0] != 'g' || !parse_number(text.substr(1)))) return {};
    end = slash + 1;
  }
  key = behind.substr(end);
  return behind.substr(0, end - 1);
}

bool add_object(Inventory& log, std::string_view name, StoredVersion stored) {
  if (name.size() <= kIndexDigits || name[kIndexDigits] != '.') return false;
  std::string_view digits = name.substr(0, kIndexDigits);
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), kIndexDigits - 1));
  const auto index = parse_number(digits);
  const std::string_view suffix = name.substr(kIndexDigits);
  if (!index || suffix.find('/') != std::string_view::npos) return false;
  auto found = std::find(log.suffixes.begin(), log.suffixes.end(), suffix);
  if (found == log.suffixes.end()) found = log.suffixes.insert(found, std::string(suffix));
  log.objects.push_back({*index, static_cast<std::uint32_t>(found - log.suffixes.begin()), std::move(stored)});
  return true;
}

/// False when the key has no role in a log.
bool add_key(Inventory& log, std::string_view rest, StoredVersion stored) {
  if (rest == "checkpoint") {
    log.checkpoints.push_back(std::move(stored));
    return true;
  }
  if (rest.starts_with("b/")) return add_object(log, rest.substr(2), std::move(stored));
  const auto tile = parse_tile_path(rest);
  if (!tile) return false;
  log.tiles[*tile].push_back(std::move(stored));
  return true;
}

/// Digits of a file store's versions have one length; what S3 calls its versions has no order, and needs none.
bool newer(const StoredVersion& a, const StoredVersion& b) {
  if (a.latest != b.latest) return a.latest;
  return a.version > b.version;
}

void sort_log(Inventory& log) {
  std::stable_sort(log.checkpoints.begin(), log.checkpoints.end(), newer);
  for (auto& [tile, versions] : log.tiles) std::stable_sort(versions.begin(), versions.end(), newer);
  std::stable_sort(log.objects.begin(), log.objects.end(), [](const StoredObject& a, const StoredObject& b) {
    if (a.index != b.index) return a.index < b.index;
    return a.suffix != b.suffix ? a.suffix < b.suffix : newer(a.stored, b.stored);
  });
}

}  // namespace

std::string object_key_stem(std::string_view origin, std::uint64_t index) {
  return fmt::format("v1/{}/b/{:020}", origin, index);
}

std::string Inventory::object_key(const StoredObject& object) const {
  return object_key_stem(origin, object.index) + suffixes[object.suffix];
}

Result<std::map<std::string, Inventory>> take_inventory(LogSource& source, const std::string& origin,
                                                        Findings& unknown) {
  std::map<std::string, Inventory> logs;
  const std::string prefix = origin.empty() ? "v1/" : "v1/" + origin + "/";
  TRY(source.list(prefix, [&](const LogSource::Entry& entry) -> Result<void> {
    std::string_view rest = entry.key;
    const std::string_view name = split_origin(rest);
    if (!name.empty()) {
      const auto [log, made] = logs.try_emplace(std::string(name));
      if (made) log->second.origin = name;
      if (add_key(log->second, rest, {entry.version, entry.bytes, entry.latest})) return {};
    }
    unknown.add(
        Verdict::extra, Weight::violated, entry.key,
        "The layout of a log has no such key. Somebody else wrote it here; find out who can write to the bucket.");
    return {};
  }));
  for (auto& [name, log] : logs) sort_log(log);
  return logs;
}

}  // namespace enclave::archive
