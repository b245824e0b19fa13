#include "pipeline/file_state.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/encoding.h"
#include "crypto/digest.h"

namespace enclave::pipeline {
namespace {

constexpr std::string_view kPrefix = "file:";
constexpr std::string_view kVersion = "file/1 ";
constexpr std::string_view kGzip = ".gz";

std::uint64_t hash_of(std::string_view bytes) {
  const auto digest = crypto::sha256(bytes);
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < 8; ++i) hash = hash << 8 | digest[i];
  return hash;
}

void append_escaped(std::string& out, std::string_view path, bool escape_high) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto byte = static_cast<unsigned char>(path[i]);
    // Leaves write positions as from..to and split lines at blanks.
    const bool dots = byte == '.' && i > 0 && path[i - 1] == '.';
    if (byte <= ' ' || byte == 0x7f || byte == '%' || dots || (byte >= 0x80 && escape_high)) {
      fmt::format_to(std::back_inserter(out), "%{:02X}", byte);
    } else {
      out.push_back(path[i]);
    }
  }
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> unescaped(std::string_view text) {
  std::string path;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      path.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
    const int low = high >= 0 ? digit_of(text[i + 2]) : -1;
    if (low < 0) return Error{Fault::corrupt, "a path with a bad escape"};
    path.push_back(static_cast<char>(high << 4 | low));
    i += 2;
  }
  if (escape_path(path) != text) return Error{Fault::corrupt, "a path that is not escaped as it should be"};
  return path;
}

// The fields of a state, each "name=value", in this order.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text) {}

  Result<std::string_view> take(std::string_view name) {
    const auto field = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(std::min(rest_.size(), field.size() + 1));
    if (!field.starts_with(name) || field.size() <= name.size() || field[name.size()] != '=')
      return Error{Fault::corrupt, "a file's position without its \"{}\"", name};
    return field.substr(name.size() + 1);
  }

  template <class T>
  Result<void> number(std::string_view name, T& into, int base = 10) {
    const auto text = TRY(take(name));
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into, base);
    if (error != std::errc() || end != text.data() + text.size())
      return Error{Fault::corrupt, "a file's position whose \"{}\" is not a number", name};
    return {};
  }

 private:
  std::string_view rest_;
};

}  // namespace

Fingerprint fingerprint_of(std::string_view front) {
  front = front.substr(0, kFingerprintBytes);
  if (front.empty()) return {};
  return {static_cast<std::uint32_t>(front.size()), hash_of(front)};
}

bool fits(const Fingerprint& print, std::string_view front) {
  if (front.size() < print.bytes) return false;
  return fingerprint_of(front.substr(0, print.bytes)) == print;
}

std::string format_state(const FileState& state) {
  std::string text =
      fmt::format("{}off={} dev={} ino={} born={} fpb={} fph={:x} seen={} mod={} gz={}{}{} crc={:x}{} path=", kVersion,
                  state.offset, state.id.device, state.id.inode, state.id.born_ns, state.print.bytes, state.print.hash,
                  state.seen_bytes, state.modified_ns, state.packed ? 1 : 0, state.whole ? 1 : 0,
                  state.truncated ? 1 : 0, state.crc, state.summed ? "s" : "-");
  text += escape_path(state.path);
  return text;
}

Result<FileState> parse_state(std::string_view text) {
  if (!text.starts_with(kVersion) || text.size() > 2 * kFileStateBytes)
    return Error{Fault::corrupt, "a file's position in a form that this version does not know"};
  FileState state;
  Fields fields(text.substr(kVersion.size()));
  TRY(fields.number("off", state.offset));
  TRY(fields.number("dev", state.id.device));
  TRY(fields.number("ino", state.id.inode));
  TRY(fields.number("born", state.id.born_ns));
  TRY(fields.number("fpb", state.print.bytes));
  TRY(fields.number("fph", state.print.hash, 16));
  TRY(fields.number("seen", state.seen_bytes));
  TRY(fields.number("mod", state.modified_ns));
  const auto flags = TRY(fields.take("gz"));
  if (flags.size() != 3) return Error{Fault::corrupt, "a file's position with bad flags"};
  auto sum = TRY(fields.take("crc"));
  state.packed = flags[0] == '1';
  state.whole = flags[1] == '1';
  state.truncated = flags[2] == '1';
  state.summed = sum.ends_with('s');
  sum.remove_suffix(sum.empty() ? 0 : 1);
  std::from_chars(sum.data(), sum.data() + sum.size(), state.crc, 16);
  state.path = TRY(unescaped(TRY(fields.take("path"))));
  // One text for one value: whatever reads differently than it was written is damage.
  if (state.print.bytes > kFingerprintBytes || state.path.size() > kFilePathBytes || format_state(state) != text)
    return Error{Fault::corrupt, "a file's position that nobody wrote like this"};
  return state;
}

std::string escape_path(std::string_view path) {
  std::string out;
  out.reserve(path.size() + 16);
  append_escaped(out, path, !is_utf8(path));
  return out;
}

std::string file_source(std::string_view path, std::uint32_t number) {
  if (path.size() > kFilePathBytes) return {};
  std::string source(kPrefix);
  source += escape_path(path);
  if (source.size() > kFileStateBytes - 64) return {};
  fmt::format_to(std::back_inserter(source), "@{:08x}", number);
  return source;
}

Result<std::string> path_of_source(std::string_view source) {
  const auto at = source.rfind('@');
  if (!source.starts_with(kPrefix) || at == std::string_view::npos || source.size() - at != 9)
    return Error{Fault::corrupt, "\"{}\" is not the name of a file source", source.substr(0, 200)};
  return unescaped(source.substr(kPrefix.size(), at - kPrefix.size()));
}

bool is_extended(std::string_view name, std::string_view candidate) {
  return candidate.size() > name.size() && candidate.starts_with(name) &&
         std::string_view(".-_").find(candidate[name.size()]) != std::string_view::npos;
}

bool may_be_rotated(std::string_view name, std::string_view candidate) {
  if (name == candidate) return false;
  const auto dot = name.rfind('.');
  const auto stem = dot == std::string_view::npos || dot == 0 ? name : name.substr(0, dot);
  if (!candidate.starts_with(stem)) return false;
  return candidate.size() == stem.size() || is_extended(stem, candidate);
}

bool has_gzip_name(std::string_view path) { return path.size() > kGzip.size() && path.ends_with(kGzip); }

}  // namespace enclave::pipeline
