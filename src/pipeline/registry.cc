#include "pipeline/registry.h"

#include "base/crc.h"
#include "base/encoding.h"
#include "base/files.h"

namespace enclave::pipeline {
namespace {

constexpr std::string_view kFirstLine = "enclave-registry/v1\n";
constexpr const char* kCopySuffix = ".copy";
constexpr std::size_t kSourcesMax = 1'000'000, kLineBytesMax = 4096;
constexpr std::uint64_t kFileBytesMax = 1ULL << 30;

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        out.push_back(c);
    }
  }
}

Result<std::string> unescape(std::string_view text, std::size_t line) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    const char next = ++i < text.size() ? text[i] : '\0';
    const auto at = std::string_view("\\tnr").find(next);
    if (next == '\0' || at == std::string_view::npos) return Error{Fault::corrupt, "line {}: unknown escape", line};
    out.push_back("\\\t\n\r"[at]);
  }
  return out;
}

std::string checksum_line(std::string_view before) {
  const std::uint32_t crc = crc32c(before);
  return fmt::format("crc32c {:08x}\n", crc);
}

}  // namespace

std::string format_registry(std::uint64_t seq, const RegistryStates& states) {
  std::string out(kFirstLine);
  out += fmt::format("seq {}\n", seq);
  for (const auto& [source, state] : states) {
    append_escaped(out, source);
    out.push_back('\t');
    append_escaped(out, state);
    out.push_back('\n');
  }
  return out + checksum_line(out);
}

Result<RegistryStates> parse_registry(std::string_view text) {
  if (text.substr(0, kFirstLine.size()) != kFirstLine) return Error{Fault::corrupt, "line 1: not a registry"};
  const std::size_t last = text.rfind("crc32c ");
  if (last == std::string_view::npos || text.substr(last) != checksum_line(text.substr(0, last)))
    return Error{Fault::corrupt, "its checksum does not fit: damaged or cut short"};
  RegistryStates states;
  std::size_t line_number = 1;
  std::string_view rest = text.substr(kFirstLine.size(), last - kFirstLine.size());
  while (!rest.empty()) {
    ++line_number;
    const auto end = rest.find('\n');
    if (end == std::string_view::npos || end > kLineBytesMax)
      return Error{Fault::corrupt, "line {}: too long", line_number};
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (line_number == 2) {
      if (line.substr(0, 4) != "seq " || !parse_number(line.substr(4))) return Error{Fault::corrupt, "line 2: no seq"};
      continue;
    }
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos) return Error{Fault::corrupt, "line {}: no TAB", line_number};
    if (states.size() >= kSourcesMax) return Error{Fault::corrupt, "more than {} sources", kSourcesMax};
    states.insert_or_assign(TRY(unescape(line.substr(0, tab), line_number)),
                            TRY(unescape(line.substr(tab + 1), line_number)));
  }
  return states;
}

Registry::Registry(Files& files, std::string path, std::vector<std::string>& notices)
    : files_(files), path_(std::move(path)) {
  // Both hold the same but for a crash between the two writings; the spool is freed after the second.
  for (const std::string& name : {path_, path_ + kCopySuffix}) {
    auto text = read_file(files_, name, kFileBytesMax);
    if (!text && text.error().fault() == Fault::absent) continue;
    auto states = text ? parse_registry(*text) : Result<RegistryStates>(text.error());
    if (states) {
      states_ = std::move(*states);
      unread_.reset();
      return;
    }
    // A disk that could not read may read the next time; what is set aside is lost to it.
    if (const Fault fault = states.error().fault(); fault == Fault::busy || fault == Fault::denied) {
      unread_ = std::move(states).error();
      continue;
    }
    notices.push_back(fmt::format("registry {}: {}; kept as {}.bad", name, states.error().text(), name));
    (void)files_.rename(name, name + ".bad");
  }
}

std::optional<std::string> Registry::find(std::string_view source) const {
  const std::lock_guard lock(mutex_);
  const auto found = states_.find(source);
  if (found == states_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::pair<std::string, std::string>> Registry::all(std::string_view prefix) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, std::string>> found;
  for (auto at = states_.lower_bound(prefix); at != states_.end() && at->first.starts_with(prefix); ++at)
    found.emplace_back(*at);
  return found;
}

void Registry::apply(std::span<const event::SourceRange> ranges) {
  const std::lock_guard lock(mutex_);
  for (const auto& range : ranges) {
    changed_ = true;
    if (range.state.empty()) {
      states_.erase(range.source);
    } else {
      states_.insert_or_assign(range.source, range.state);
    }
  }
}

Result<void> Registry::save(std::uint64_t seq) {
  std::string text;
  {
    const std::lock_guard lock(mutex_);
    if (!changed_) return {};
    text = format_registry(seq, states_);
    changed_ = false;
  }
  auto saved = replace_file(files_, path_, text);
  if (saved) saved = replace_file(files_, path_ + kCopySuffix, text);
  if (!saved) {
    const std::lock_guard lock(mutex_);
    changed_ = true;
  }
  return saved;
}

}  // namespace enclave::pipeline
