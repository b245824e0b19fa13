#include "pipeline/sincedb.h"

#include <charconv>
#include <set>

#include "base/crc.h"
#include "pipeline/file_state.h"

namespace enclave::pipeline {
namespace {

/// The next word of `line`, which loses it.
std::string_view word_of(std::string_view& line) {
  const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
  line.remove_prefix(begin);
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

bool number_of(std::string_view word, std::uint64_t& into) {
  const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), into);
  return fault == std::errc() && end == word.data() + word.size();
}

Fingerprint front_of(Files& files, const std::string& path) {
  std::string front(kFingerprintBytes, '\0');
  auto file = files.open(path);
  if (!file) return {};
  const auto got = (*file)->read_at(0, front);
  if (!got) return {};
  front.resize(*got);
  return fingerprint_of(front);
}

}  // namespace

Sincedb parse_sincedb(std::string_view text) {
  Sincedb out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    SincedbEntry entry;
    const bool inode = number_of(word_of(line), entry.inode);
    word_of(line), word_of(line);  // the device, by numbers that may change with the next boot
    const bool whole = inode && number_of(word_of(line), entry.offset);
    word_of(line);  // when it was written
    if (line.starts_with(' ')) line.remove_prefix(1);
    entry.path = line;
    if (!whole || !entry.path.starts_with('/') || entry.path.size() > kFilePathBytes ||
        entry.path.find('\0') != std::string::npos) {
      ++out.unread;
    } else {
      out.entries.push_back(std::move(entry));
    }
  }
  return out;
}

SincedbPositions::SincedbPositions(const Positions& own, const Sincedb& sincedb, Files& files) : own_(own) {
  std::set<std::pair<std::uint64_t, std::uint64_t>> known;
  for (const auto& [source, text] : own.all("file:"))
    if (const auto state = parse_state(text)) known.emplace(state->id.device, state->id.inode);
  for (const SincedbEntry& entry : sincedb.entries) {
    const auto info = files.info(entry.path);
    if (!info || info->id.inode != entry.inode || info->kind != FileKind::regular || info->bytes < entry.offset)
      continue;
    if (!known.emplace(info->id.device, info->id.inode).second) continue;
    FileState state;
    state.offset = entry.offset;
    state.id = info->id;
    state.print = front_of(files, entry.path);
    state.seen_bytes = entry.offset;
    state.modified_ns = info->modified_ns;
    state.path = entry.path;
    const std::string source = file_source(entry.path, crc32c(entry.path));
    if (!source.empty()) states_[source] = format_state(state);
  }
}

std::optional<std::string> SincedbPositions::find(std::string_view source) const {
  if (auto found = own_.find(source)) return found;
  const auto at = states_.find(source);
  return at == states_.end() ? std::nullopt : std::optional(at->second);
}

std::vector<std::pair<std::string, std::string>> SincedbPositions::all(std::string_view prefix) const {
  auto found = own_.all(prefix);
  for (const auto& [source, state] : states_)
    if (source.starts_with(prefix)) found.emplace_back(source, state);
  return found;
}

}  // namespace enclave::pipeline
