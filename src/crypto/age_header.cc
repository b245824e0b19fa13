#include <algorithm>

#include "base/encoding.h"
#include "crypto/age_access.h"

namespace enclave::crypto {
namespace {

constexpr std::size_t kBodyColumns = 64;
constexpr std::size_t kMacCharacters = 43;

// Takes the header apart line by line.
class Lines {
 public:
  explicit Lines(std::string_view file) : file_(file), left_(file.substr(0, kAgeHeaderBytesMax)) {}

  Result<std::string_view> next() {
    const auto end = left_.find('\n');
    ++number_;
    if (end == std::string_view::npos) {
      if (file_.size() > kAgeHeaderBytesMax)
        return Error{Fault::corrupt, "age header: longer than the {} bytes that are allowed", kAgeHeaderBytesMax};
      return Error{Fault::corrupt, "age header: the file ends in line {}", number_};
    }
    const std::string_view line = left_.substr(0, end);
    left_.remove_prefix(end + 1);
    read_ += end + 1;
    return line;
  }
  bool next_begins(std::string_view with) const { return left_.starts_with(with); }
  std::size_t read() const { return read_; }
  Error wrong(std::string_view what) const { return Error{Fault::corrupt, "age header, line {}: {}", number_, what}; }

 private:
  std::string_view file_;
  std::string_view left_;
  std::size_t read_ = 0;
  std::size_t number_ = 0;
};

Result<AgeHeader::Stanza> read_stanza(Lines& lines) {
  std::string_view line = TRY(lines.next());
  line.remove_prefix(3);  // "-> ", seen by the caller
  AgeHeader::Stanza stanza;
  bool first = true;
  for (bool more = true; more;) {
    const auto space = line.find(' ');
    const std::string_view argument = line.substr(0, space);
    more = space != std::string_view::npos;
    if (more) line.remove_prefix(space + 1);
    if (argument.empty()) return lines.wrong("an argument is empty");
    if (std::any_of(argument.begin(), argument.end(), [](char c) { return c < '!' || c > '~'; }))
      return lines.wrong("an argument has a character that is not printable ASCII");
    if (first)
      stanza.type = argument;
    else
      stanza.arguments.emplace_back(argument);
    first = false;
  }
  for (bool more = true; more;) {
    const std::string_view text = TRY(lines.next());
    if (text.size() > kBodyColumns) return lines.wrong("longer than 64 characters");
    more = text.size() == kBodyColumns;
    const auto bytes = from_raw_base64(text);
    if (!bytes) return lines.wrong(bytes.error().text());
    stanza.body += *bytes;
  }
  return stanza;
}

}  // namespace

Result<std::string> from_raw_base64(std::string_view text) {
  if (text.find('=') != std::string_view::npos) return Error{Fault::invalid, "base64 text with padding"};
  std::string padded(text);
  while (padded.size() % 4 != 0) padded.push_back('=');
  return from_base64(padded);
}

std::string to_raw_base64(std::string_view bytes) {
  std::string text = to_base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  return text;
}

Result<AgeHeader> parse_age_header(std::string_view file) {
  constexpr std::string_view kVersion = kAgeVersionLine.substr(0, kAgeVersionLine.size() - 1);
  if (!file.starts_with("age-encryption.org/"))
    return Error{Fault::corrupt, "not an age file: it does not begin with \"{}\"", kVersion};
  Lines lines(file);
  if (TRY(lines.next()) != kVersion) return lines.wrong("not version 1 of age, the only one that can be read");
  AgeHeader header;
  while (lines.next_begins("-> ")) header.stanzas.push_back(TRY(read_stanza(lines)));
  const std::size_t mac_begin = lines.read();
  const std::string_view line = TRY(lines.next());
  if (!line.starts_with("---")) return lines.wrong("neither a recipient stanza (\"-> \") nor the MAC (\"--- \")");
  if (header.stanzas.empty()) return lines.wrong("the MAC comes before any recipient");
  if (!line.starts_with("--- ") || line.size() != 4 + kMacCharacters)
    return lines.wrong("the MAC is not \"--- \" and 43 characters");
  const auto mac = from_raw_base64(line.substr(4));
  if (!mac) return lines.wrong(mac.error().text());
  std::copy(mac->begin(), mac->end(), header.mac.begin());
  header.mac_bytes = mac_begin + 3;
  header.bytes = lines.read();
  return header;
}

}  // namespace enclave::crypto
