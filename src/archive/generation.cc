#include "archive/generation.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/files.h"

namespace enclave::archive {
namespace {

constexpr std::size_t kPartBytesMax = 64;
constexpr std::uint64_t kSmallFileBytesMax = 64 * 1024;

bool is_part_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

Result<std::string> origin_part(std::string_view text) {
  std::string part(text.substr(0, kPartBytesMax));
  if (part.empty()) return Error{Fault::invalid, "a part of the log's origin is empty"};
  for (char& c : part)
    if (!is_part_character(c)) c = '-';
  if (part.front() == '.') part.front() = '-';
  return part;
}

Result<Current> Current::parse(std::string_view text) {
  const auto bad = [] { return Error{Fault::corrupt, "it does not hold a generation, an origin and a boot id"}; };
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos || lines.size() == 3) return bad();
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  if (lines.size() != 3) return bad();
  const auto number = parse_number(lines[0]);
  const auto slash = lines[1].find('/');
  if (!number || *number == 0 || slash == std::string_view::npos) return bad();
  const auto first = origin_part(lines[1].substr(0, slash));
  const auto second = origin_part(lines[1].substr(slash + 1));
  if (!first || !second || *first + "/" + *second != lines[1]) return bad();
  return Current{*number, std::string(lines[1]), std::string(lines[2])};
}

Result<std::string> read_small(Files& files, const std::string& path) {
  const std::uint64_t bytes = TRY(files.info(path)).bytes;
  if (bytes > kSmallFileBytesMax) return Error{Fault::corrupt, "{}: {} bytes cannot be what was written", path, bytes};
  return read_file(files, path, kSmallFileBytesMax);
}

Leaf leaf_at(const Moment& moment, LeafKind kind) {
  Leaf leaf;
  leaf.kind = kind;
  leaf.boot_id = moment.boot_id;
  leaf.boot_ns = std::max<std::int64_t>(moment.boot_ns, 0);
  leaf.time_first_ns = leaf.time_last_ns = moment.wall_ns;
  return leaf;
}

void Generation::learn(const Leaf& leaf, std::string_view text) {
  if (leaf.seq) last_seq = std::max(last_seq, leaf.seq->second);
  last_wall_ns = leaf.time_last_ns;
  if (leaf.kind == LeafKind::key) {
    vkeys.push_back(leaf.vkey);
    key_index = tree.size();
    key_boot_id = leaf.boot_id;
  }
  if (leaf.kind == LeafKind::boot) boot_boot_id = leaf.boot_id;
  tree.append(leaf_hash(text));
}

Result<std::uint64_t> Generation::commit(Leaf leaf, std::string_view object) {
  // Before the outbox is touched: the leaf of a failed attempt may still stand in the file and name that attempt's
  // object.
  if (!leaves->clean()) TRY(leaves->repair());
  const std::uint64_t index = tree.size();
  leaf.origin = place.origin();
  leaf.index = index;
  if (!object.empty())
    leaf.object = LeafObject{place.object_key(index), object.size(), crypto::sha256(object)};
  else if (leaf.kind == LeafKind::batch)
    leaf.object.reset();
  TRY(check_leaf(leaf));
  const std::string text = format_leaf(leaf);
  const std::string object_file = place.outbox_file(index);
  if (!object.empty())
    TRY(replace_file(files, object_file, object));
  else
    (void)remove_if_there(files, object_file);
  if (auto appended = leaves->append(text); !appended) {
    if (leaves->clean()) (void)remove_if_there(files, object_file);
    return std::move(appended).error();
  }
  learn(leaf, text);
  if (!object.empty()) {
    pending.emplace(index, *leaf.object);
    outbox_bytes += object.size();
  }
  return index;
}

Result<std::uint64_t> Generation::append(Leaf leaf, std::string_view object) {
  const std::uint64_t index = TRY(commit(std::move(leaf), object));
  // The leaf is the commitment; a checkpoint that the disk refuses now is written at the next occasion.
  (void)write_checkpoint();
  return index;
}

Note Generation::signed_checkpoint(std::uint64_t size) const {
  Note signed_note{Checkpoint{place.origin(), size, tree.root(size), {}}.text(), {}};
  signed_note.sign(place.origin(), *key);
  return signed_note;
}

Result<void> Generation::write_checkpoint(const crypto::Ed25519PrivateKey* also) {
  Note fresh = signed_checkpoint(tree.size());
  if (also != nullptr) fresh.sign(place.origin(), *also);
  TRY(replace_file(files, place.file("checkpoint"), fresh.format()));
  note = std::move(fresh);
  note_size = tree.size();
  return {};
}

Result<Leaf> Generation::leaf(std::uint64_t index) { return parse_leaf(TRY(leaves->read(index))); }

}  // namespace enclave::archive
