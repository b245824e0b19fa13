#include "archive/note.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"

namespace enclave::archive {
namespace {

constexpr std::size_t kNoteBytesMax = 1U << 20;
constexpr std::size_t kSignaturesMax = 100;
constexpr std::size_t kHashBytes = 4;
constexpr std::string_view kDash = "\u2014 ";
constexpr char kEd25519 = 1;
constexpr std::uint64_t kSizeMax = (1ULL << 63) - 1;

// White space as Unicode defines it, in UTF-8, and the plus that separates the parts of a verifier key.
constexpr std::array<std::string_view, 26> kNotInNames = {
    " ",      "\t",     "\n",     "\v",     "\f",     "\r",     "\u0085", "\u00a0", "\u1680",
    "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008",
    "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "+"};

bool is_key_name(std::string_view name) {
  if (name.empty() || !is_utf8(name)) return false;
  return std::none_of(kNotInNames.begin(), kNotInNames.end(),
                      [&](std::string_view space) { return name.find(space) != std::string_view::npos; });
}

std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

std::uint32_t from_big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < kHashBytes; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

Error malformed(std::string_view what) { return Error{Fault::corrupt, "not a signed note: {}", what}; }

Result<NoteSignature> parse_signature(std::string_view line) {
  if (!line.starts_with(kDash)) return malformed("a signature line does not begin with a dash (U+2014) and a space");
  line.remove_prefix(kDash.size());
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return malformed("a signature line without a signature");
  const std::string_view name = line.substr(0, space);
  if (!is_key_name(name)) return malformed("a signature line whose key name is empty, or holds white space or a plus");
  const auto bytes = from_base64(line.substr(space + 1));
  if (!bytes) return malformed("a signature that is not base64");
  if (bytes->size() <= kHashBytes) return malformed("a signature that is too short");
  return NoteSignature{std::string(name), from_big_endian(*bytes), bytes->substr(kHashBytes)};
}

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace

NoteVerifier NoteVerifier::of(std::string_view name, const crypto::Ed25519PublicKey& key) {
  std::string hashed(name);
  hashed += '\n';
  hashed += kEd25519;
  hashed += bytes_of(key);
  const crypto::Digest digest = crypto::sha256(hashed);
  return {std::string(name), from_big_endian(bytes_of(digest)), key};
}

Result<NoteVerifier> NoteVerifier::parse(std::string_view vkey) {
  const auto bad = [&](std::string_view why) {
    return Error{Fault::invalid, "\"{}\" is not a verifier key (<name>+<8 hex digits>+<base64>): {}",
                 is_utf8(vkey) ? vkey.substr(0, 200) : "", why};
  };
  const auto first = vkey.find('+');
  const auto second = first == std::string_view::npos ? first : vkey.find('+', first + 1);
  if (second == std::string_view::npos) return bad("it has not three parts");
  const std::string_view name = vkey.substr(0, first);
  if (!is_key_name(name)) return bad("its name is empty, or holds white space");
  const auto key = from_base64(vkey.substr(second + 1));
  if (!key) return bad(key.error().text());
  if (key->size() != 33 || key->front() != kEd25519) return bad("it is no Ed25519 key");
  NoteVerifier verifier;
  crypto::Ed25519PublicKey point{};
  std::copy(key->begin() + 1, key->end(), reinterpret_cast<char*>(point.data()));
  verifier = of(name, point);
  if (to_hex(big_endian(verifier.key_hash)) != vkey.substr(first + 1, second - first - 1))
    return bad("its hash is not that of its name and key");
  return verifier;
}

std::string NoteVerifier::text() const {
  std::string bytes(1, kEd25519);
  bytes += bytes_of(key);
  return fmt::format("{}+{:08x}+{}", name, key_hash, to_base64(bytes));
}

Result<Note> Note::parse(std::string_view note) {
  if (note.size() > kNoteBytesMax) return malformed("longer than 1 MiB");
  if (!is_utf8(note)) return malformed("not UTF-8");
  if (std::any_of(note.begin(), note.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; }))
    return malformed("it holds control characters");
  const auto split = note.rfind("\n\n");
  if (split == std::string_view::npos) return malformed("no empty line before the signatures");
  std::string_view lines = note.substr(split + 2);
  if (lines.empty() || lines.back() != '\n') return malformed("it does not end in a whole signature line");
  Note parsed{std::string(note.substr(0, split + 1)), {}};
  while (!lines.empty()) {
    if (parsed.signatures.size() == kSignaturesMax) return malformed("more than 100 signatures");
    parsed.signatures.push_back(TRY(parse_signature(take_line(lines))));
  }
  return parsed;
}

std::string Note::format() const {
  std::string note = text + "\n";
  for (const auto& each : signatures)
    note += fmt::format("{}{} {}\n", kDash, each.name, to_base64(big_endian(each.key_hash) + each.signature));
  return note;
}

void Note::sign(std::string_view name, const crypto::Ed25519PrivateKey& key) {
  ENSURE(is_key_name(name));
  const NoteVerifier verifier = NoteVerifier::of(name, key.public_key());
  signatures.push_back({verifier.name, verifier.key_hash, std::string(bytes_of(key.sign(text)))});
}

bool Note::verified_by(const NoteVerifier& verifier) const {
  bool verified = false;
  for (const auto& each : signatures) {
    if (each.name != verifier.name || each.key_hash != verifier.key_hash) continue;
    crypto::Ed25519Signature signature{};
    // One bad signature of a known key condemns the note, whatever stands beside it.
    if (each.signature.size() != signature.size()) return false;
    std::copy(each.signature.begin(), each.signature.end(), reinterpret_cast<char*>(signature.data()));
    if (!crypto::verify(verifier.key, text, signature)) return false;
    verified = true;
  }
  return verified;
}

std::string Checkpoint::text() const {
  std::string text = fmt::format("{}\n{}\n{}\n", origin, size, to_base64(bytes_of(root)));
  for (const auto& line : extensions) text += line + "\n";
  return text;
}

Result<Checkpoint> Checkpoint::parse(std::string_view text) {
  const auto bad = [](std::string_view why) { return Error{Fault::corrupt, "not a checkpoint: {}", why}; };
  if (text.empty() || text.back() != '\n') return bad("it does not end in a line feed");
  if (!is_utf8(text)) return bad("not UTF-8");
  Checkpoint checkpoint;
  checkpoint.origin = take_line(text);
  if (checkpoint.origin.empty()) return bad("line 1, the origin, is empty");
  const auto size = parse_number(take_line(text));
  if (!size || *size > kSizeMax) return bad("line 2 is not a tree size");
  checkpoint.size = *size;
  const auto root = from_base64(take_line(text));
  if (!root || root->size() != checkpoint.root.size()) return bad("line 3 is not a root hash in base64");
  std::copy(root->begin(), root->end(), reinterpret_cast<char*>(checkpoint.root.data()));
  while (!text.empty()) {
    checkpoint.extensions.emplace_back(take_line(text));
    if (checkpoint.extensions.back().empty()) return bad("an extension line is empty");
  }
  return checkpoint;
}

}  // namespace enclave::archive
