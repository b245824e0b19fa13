#include "archive/leaf.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/encoding.h"
#include "base/time.h"

namespace enclave::archive {
namespace {

constexpr std::string_view kHeader = "enclave-leaf/v1";
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kNumberDigitsMax = 20;
constexpr std::uint64_t kNumberMax = (1ULL << 63) - 1;
constexpr std::array<std::string_view, 7> kKinds = {"batch", "heartbeat", "boot", "key", "gap", "fork", "expire"};

// Which lines a kind must and may have (docs/formats/leaf.md). `time` stands in every leaf.
enum Line : unsigned {
  kSeq = 1,
  kBoot = 2,
  kRoot = 4,
  kObject = 8,
  kKey = 16,
  kPrevious = 32,
  kReason = 64,
  kSrc = 128,
  kSigned = 256
};
struct Rule {
  unsigned must;
  unsigned may;
};
constexpr std::array<Rule, 7> kRules = {{
    {kBoot | kSrc, kSeq | kRoot | kObject},
    {kBoot, 0},
    {kBoot, 0},
    {kBoot | kKey | kSigned, 0},
    {kReason, kBoot | kSrc | kSeq},
    {kReason | kPrevious, kBoot},
    {kReason | kObject, kBoot},
}};
constexpr std::array<std::pair<Line, std::string_view>, 9> kLineNames = {{{kSeq, "seq"},
                                                                          {kBoot, "boot"},
                                                                          {kRoot, "root"},
                                                                          {kObject, "object"},
                                                                          {kKey, "key"},
                                                                          {kPrevious, "previous"},
                                                                          {kReason, "reason"},
                                                                          {kSrc, "src"},
                                                                          {kSigned, "signed"}}};

unsigned lines_of(const Leaf& leaf) {
  unsigned lines = 0;
  if (leaf.seq) lines |= kSeq;
  if (!leaf.boot_id.empty()) lines |= kBoot;
  if (leaf.root) lines |= kRoot;
  if (leaf.object) lines |= kObject;
  if (!leaf.vkey.empty()) lines |= kKey;
  if (!leaf.previous.empty()) lines |= kPrevious;
  if (!leaf.reason.empty()) lines |= kReason;
  if (!leaf.sources.empty()) lines |= kSrc;
  if (!leaf.signatures.empty()) lines |= kSigned;
  return lines;
}

bool is_text(std::string_view text) {
  return is_utf8(text) && std::none_of(text.begin(), text.end(),
                                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_token(std::string_view text) {
  return !text.empty() && is_text(text) && text.find(' ') == std::string_view::npos;
}

bool is_position(std::string_view text) {
  return text.empty() || (is_token(text) && text != "-" && text.find("..") == std::string_view::npos &&
                          text.front() != '.' && text.back() != '.');
}

bool is_boot_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

Error wrong(std::string_view what) { return Error{Fault::invalid, "{}", what}; }

Result<std::uint64_t> number(std::string_view text) {
  const std::uint64_t value = TRY(parse_number(text));
  if (value > kNumberMax) return Error{Fault::invalid, "{} is not below 2^63", value};
  return value;
}

Result<Digest> digest(std::string_view text) {
  const std::string bytes = TRY(from_hex(text));
  Digest digest{};
  if (bytes.size() != digest.size()) return wrong("a SHA-256 digest has 64 hex digits");
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(digest.data()));
  return digest;
}

Result<void> check_previous(std::string_view text) {
  const auto parts = split(text, ' ');
  if (parts.size() != 3 || !is_token(parts[0]) || !number(parts[1]) || !digest(parts[2]))
    return wrong("previous is not an origin, a size and a root");
  return {};
}

Result<void> check_rules(const Leaf& leaf) {
  const auto kind = static_cast<std::size_t>(leaf.kind);
  if (kind >= kRules.size()) return wrong("unknown kind");
  const unsigned lines = lines_of(leaf);
  for (const auto& [line, name] : kLineNames) {
    if ((kRules[kind].must & line) != 0 && (lines & line) == 0)
      return Error{Fault::invalid, "a {} leaf must have a {} line", kKinds[kind], name};
    if (((kRules[kind].must | kRules[kind].may) & line) == 0 && (lines & line) != 0)
      return Error{Fault::invalid, "a {} leaf must not have a {} line", kKinds[kind], name};
  }
  const unsigned records = lines & (kSeq | kRoot | kObject);
  if (leaf.kind == LeafKind::batch && records != 0 && records != (kSeq | kRoot | kObject))
    return wrong("a batch leaf has all of seq, root and object, or none of them");
  if (leaf.kind == LeafKind::gap && (lines & (kSrc | kSeq)) == 0)
    return wrong("a gap leaf must have a src or seq line");
  return {};
}

Result<void> check_fields(const Leaf& leaf) {
  TRY(check_rules(leaf));
  if (!is_token(leaf.origin)) return wrong("the origin is empty or holds white space");
  if (leaf.index > kNumberMax) return wrong("the index is not below 2^63");
  if (leaf.seq && (leaf.seq->first == 0 || leaf.seq->first > leaf.seq->second || leaf.seq->second > kNumberMax))
    return wrong("seq is not a range of record numbers");
  if (!leaf.boot_id.empty() && !is_boot_id(leaf.boot_id)) return wrong("a boot id is made of hex digits and dashes");
  if (leaf.boot_ns < 0 || (leaf.boot_id.empty() && leaf.boot_ns != 0)) return wrong("a boot time without a boot");
  if (leaf.object && (!is_token(leaf.object->key) || leaf.object->bytes > kNumberMax))
    return wrong("the object's key is empty or holds white space");
  if (!leaf.vkey.empty() && !is_token(leaf.vkey)) return wrong("the key holds white space");
  if (!leaf.previous.empty()) TRY(check_previous(leaf.previous));
  if (!is_text(leaf.reason)) return wrong("the reason is not one line of UTF-8 text");
  for (const auto& each : leaf.sources)
    if (!is_token(each.source) || !is_position(each.from) || !is_position(each.to) || each.count > kNumberMax ||
        each.lost > kNumberMax)
      return Error{Fault::invalid, "a source or its position holds white space, or a position \"..\""};
  for (const auto& each : leaf.signatures)
    if (!is_token(each.vkey) || each.signature.size() != kSignatureBytes) return wrong("a signature without its key");
  return {};
}

std::string position_text(std::string_view position) { return position.empty() ? "-" : std::string(position); }

std::string source_line(const LeafSource& each) {
  return fmt::format("src {} {}..{} count={} lost={}\n", each.source, position_text(each.from), position_text(each.to),
                     each.count, each.lost);
}

/// The lines of a leaf one after the other; remembers the number of the latest.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}
  int number() const { return number_; }
  bool done() const { return text_.empty(); }
  Error corrupt(std::string_view what) const { return Error{Fault::corrupt, "leaf line {}: {}", number_, what}; }

  /// The next line without its name, when it has this name.
  std::optional<std::string_view> take(std::string_view name) {
    if (!text_.starts_with(name) || text_.size() <= name.size() || text_[name.size()] != ' ') return std::nullopt;
    return next().substr(name.size() + 1);
  }
  std::string_view next() {
    ++number_;
    const auto end = text_.find('\n');
    const std::string_view line = text_.substr(0, end);
    text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
    return line;
  }
  /// The parts of the next line, when it has this name; an error when there are not `count` of them.
  Result<std::vector<std::string_view>> parts(std::string_view name, std::size_t count) {
    const auto line = take(name);
    if (!line) return std::vector<std::string_view>{};
    auto parts = split(*line, ' ');
    if (parts.size() != count) return corrupt(fmt::format("{} has {} fields, not {}", name, parts.size(), count));
    return parts;
  }
  template <class T>
  Result<T> in_line(Result<T> value) const {
    if (!value) return corrupt(value.error().text());
    return value;
  }

 private:
  std::string_view text_;
  int number_ = 0;
};

Result<void> parse_head(Lines& lines, Leaf& leaf) {
  if (lines.next() != kHeader) return lines.corrupt("not \"enclave-leaf/v1\"");
  const auto need = [&](std::string_view name) -> Result<std::string_view> {
    const auto value = lines.take(name);
    if (value) return *value;
    lines.next();
    return lines.corrupt(fmt::format("{} expected", name));
  };
  leaf.origin = TRY(need("origin"));
  const std::string_view index = TRY(need("index"));
  leaf.index = TRY(lines.in_line(number(index)));
  const std::string_view kind = TRY(need("kind"));
  const auto found = std::find(kKinds.begin(), kKinds.end(), kind);
  if (found == kKinds.end()) return lines.corrupt("unknown kind");
  leaf.kind = static_cast<LeafKind>(found - kKinds.begin());
  return {};
}

Result<void> parse_when(Lines& lines, Leaf& leaf) {
  if (const auto parts = TRY(lines.parts("seq", 1)); !parts.empty()) {
    const auto ends = split(parts[0], '-');
    if (ends.size() != 2) return lines.corrupt("seq is not a first and a last record");
    const std::uint64_t first = TRY(lines.in_line(number(ends[0])));
    leaf.seq = {first, TRY(lines.in_line(number(ends[1])))};
  }
  if (const auto parts = TRY(lines.parts("boot", 2)); !parts.empty()) {
    leaf.boot_id = parts[0];
    if (!is_boot_id(leaf.boot_id)) return lines.corrupt("a boot id is made of hex digits and dashes");
    leaf.boot_ns = static_cast<std::int64_t>(TRY(lines.in_line(number(parts[1]))));
  }
  const auto times = TRY(lines.parts("time", 2));
  if (times.empty()) {
    lines.next();
    return lines.corrupt("time expected");
  }
  leaf.time_first_ns = TRY(lines.in_line(parse_time(times[0])));
  leaf.time_last_ns = TRY(lines.in_line(parse_time(times[1])));
  return {};
}

Result<void> parse_what(Lines& lines, Leaf& leaf) {
  if (const auto parts = TRY(lines.parts("root", 1)); !parts.empty()) leaf.root = TRY(lines.in_line(digest(parts[0])));
  if (const auto parts = TRY(lines.parts("object", 3)); !parts.empty()) {
    // No TRY among the members of an initialiser: GCC 12 leaks those that are made already.
    const std::uint64_t bytes = TRY(lines.in_line(number(parts[1])));
    const Digest sha256 = TRY(lines.in_line(digest(parts[2])));
    leaf.object = LeafObject{std::string(parts[0]), bytes, sha256};
  }
  if (const auto parts = TRY(lines.parts("key", 1)); !parts.empty()) leaf.vkey = parts[0];
  if (const auto text = lines.take("previous")) {
    TRY(lines.in_line(check_previous(*text)));
    leaf.previous = *text;
  }
  if (const auto text = lines.take("reason")) leaf.reason = *text;
  return {};
}

Result<LeafSource> parse_source(const Lines& lines, std::span<const std::string_view> parts) {
  const auto dots = parts[1].find("..");
  if (dots == std::string_view::npos) return lines.corrupt("src has no \"..\" between its positions");
  const auto position = [](std::string_view text) { return std::string(text == "-" ? "" : text); };
  const auto counted = [&](std::string_view text, std::string_view name) -> Result<std::uint64_t> {
    if (!text.starts_with(name)) return lines.corrupt(fmt::format("{} expected", name));
    return lines.in_line(number(text.substr(name.size())));
  };
  const std::uint64_t count = TRY(counted(parts[2], "count="));
  const std::uint64_t lost = TRY(counted(parts[3], "lost="));
  return LeafSource{std::string(parts[0]), position(parts[1].substr(0, dots)), position(parts[1].substr(dots + 2)),
                    count, lost};
}

Result<void> parse_lists(Lines& lines, Leaf& leaf) {
  for (;;) {
    const auto parts = TRY(lines.parts("src", 4));
    if (parts.empty()) break;
    leaf.sources.push_back(TRY(parse_source(lines, parts)));
  }
  for (;;) {
    const auto parts = TRY(lines.parts("signed", 2));
    if (parts.empty()) break;
    std::string signature = TRY(lines.in_line(from_base64(parts[1])));
    leaf.signatures.push_back({std::string(parts[0]), std::move(signature)});
    if (leaf.signatures.back().signature.size() != kSignatureBytes)
      return lines.corrupt("an Ed25519 signature has 64 bytes");
  }
  return {};
}

// The number of the first line that differs.
int first_difference(std::string_view a, std::string_view b) {
  const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return 1 + static_cast<int>(std::count(a.begin(), in_a, '\n'));
}

std::string unchecked_text(const Leaf& leaf) {
  std::string text =
      fmt::format("{}\norigin {}\nindex {}\nkind {}\n", kHeader, leaf.origin, leaf.index, name_of(leaf.kind));
  if (leaf.seq) text += fmt::format("seq {}-{}\n", leaf.seq->first, leaf.seq->second);
  if (!leaf.boot_id.empty()) text += fmt::format("boot {} {}\n", leaf.boot_id, leaf.boot_ns);
  text += fmt::format("time {} {}\n", format_time(leaf.time_first_ns), format_time(leaf.time_last_ns));
  if (leaf.root) text += fmt::format("root {}\n", to_hex(bytes_of(*leaf.root)));
  if (leaf.object)
    text +=
        fmt::format("object {} {} {}\n", leaf.object->key, leaf.object->bytes, to_hex(bytes_of(leaf.object->sha256)));
  if (!leaf.vkey.empty()) text += fmt::format("key {}\n", leaf.vkey);
  if (!leaf.previous.empty()) text += fmt::format("previous {}\n", leaf.previous);
  if (!leaf.reason.empty()) text += fmt::format("reason {}\n", leaf.reason);
  for (const auto& each : leaf.sources) text += source_line(each);
  return text;
}

std::string with_signatures(const Leaf& leaf) {
  std::string text = unchecked_text(leaf);
  for (const auto& each : leaf.signatures) text += fmt::format("signed {} {}\n", each.vkey, to_base64(each.signature));
  return text;
}

}  // namespace

std::string_view name_of(LeafKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

Result<void> check_leaf(const Leaf& leaf) {
  TRY(check_fields(leaf));
  if (with_signatures(leaf).size() > kLeafBytesMax) return wrong("longer than 65,535 bytes");
  return {};
}

std::string format_leaf(const Leaf& leaf) {
  ENSURE(check_leaf(leaf).has_value());
  return with_signatures(leaf);
}

std::string signed_part_of(const Leaf& leaf) { return unchecked_text(leaf); }

Result<Leaf> parse_leaf(std::string_view text) {
  Lines lines(text);
  if (text.size() > kLeafBytesMax) return Error{Fault::corrupt, "leaf line 1: longer than 65,535 bytes in all"};
  Leaf leaf;
  TRY(parse_head(lines, leaf));
  const int kind_line = lines.number();
  TRY(parse_when(lines, leaf));
  TRY(parse_what(lines, leaf));
  TRY(parse_lists(lines, leaf));
  if (!lines.done()) {
    lines.next();
    return lines.corrupt("unknown, doubled or out of its order");
  }
  if (const auto checked = check_fields(leaf); !checked)
    return Error{Fault::corrupt, "leaf line {}: {}", kind_line, checked.error().text()};
  // Whatever the steps above let pass in another form than ours is found here.
  if (const std::string canonical = with_signatures(leaf); canonical != text)
    return Error{Fault::corrupt, "leaf line {}: not in its canonical form", first_difference(text, canonical)};
  return leaf;
}

std::size_t leaf_source_bytes(std::string_view source, std::string_view from, std::string_view to) {
  constexpr std::size_t kRest = std::string_view("src  .. count= lost=\n").size() + 2 * kNumberDigitsMax;
  return kRest + source.size() + std::max<std::size_t>(from.size(), 1) + std::max<std::size_t>(to.size(), 1);
}

}  // namespace enclave::archive
