#include <algorithm>

#include "archive/generation.h"
#include "base/encoding.h"
#include "base/files.h"

/// Reading a generation after whatever happened to it.
namespace enclave::archive {
namespace {

constexpr std::string_view kSetAside = ".bad";

// Temporary files of writes that a crash cut short; one may hold a key.
Result<void> remove_leftovers(Files& files, const std::string& directory) {
  const auto entries = files.list(directory);
  if (!entries && entries.error().fault() == Fault::absent) return {};
  if (!entries) return entries.error();
  for (const auto& entry : *entries)
    if (entry.name.starts_with('.')) TRY(erase_key(files, join_path(directory, entry.name)));
  return {};
}

// Fills `loaded` from the leaf file: the tree, and where the leaves are.
Result<LeafScan> scan_into(Files& files, const GenerationPlace& place, Loaded& loaded) {
  loaded.generation = std::make_unique<Generation>(files, place);
  Generation& generation = *loaded.generation;
  auto opened = files.open(place.file("leaves"));
  if (!opened && opened.error().fault() == Fault::absent) {
    return LeafScan{LeafScan::End::damaged, 0};
  }
  auto file = TRY(std::move(opened));
  const auto take = [&](std::uint64_t offset, std::string_view text) {
    const auto leaf = parse_leaf(text);
    if (!leaf || leaf->origin != place.origin() || leaf->index != generation.tree.size()) return false;
    generation.learn(*leaf, text);
    loaded.offsets.push_back(offset);
    return true;
  };
  const auto salvage = [&](std::uint64_t offset, std::string_view text) {
    const auto leaf = parse_leaf(text);
    if (!leaf || leaf->origin != place.origin() || leaf->index < loaded.offsets.size()) return;
    loaded.salvaged.emplace(leaf->index, offset);
    if (leaf->seq) generation.last_seq = std::max(generation.last_seq, leaf->seq->second);
  };
  return scan_leaves(*file, take, salvage);
}

// A number that stands alone in a small file; 0 when there is none or it is damaged: both are re-derived or harmless.
Result<std::uint64_t> read_number(Files& files, const std::string& path, Notices& notices) {
  const auto text = read_small(files, path);
  if (!text && !is_lost(text.error())) return text.error();
  if (!text && text.error().fault() == Fault::absent) return std::uint64_t{0};
  if (text && text->ends_with('\n'))
    if (const auto number = parse_number(std::string_view(*text).substr(0, text->size() - 1))) return *number;
  notices.push_back(fmt::format("{} is damaged and was taken as 0.", path));
  return std::uint64_t{0};
}

// The keys that the leaves name; and, should the leaves be lost, those that lie beside them.
Result<std::vector<std::string>> known_vkeys(const Generation& generation) {
  std::vector<std::string> vkeys = generation.vkeys;
  const auto anchor = read_small(generation.files, generation.place.file("anchor"));
  if (!anchor && !is_lost(anchor.error())) return anchor.error();
  if (anchor && anchor->ends_with('\n')) vkeys.push_back(anchor->substr(0, anchor->size() - 1));
  const auto vkey = vkey_on_disk(generation);
  if (!vkey && !is_lost(vkey.error())) return vkey.error();
  if (vkey) vkeys.push_back(*vkey);
  return vkeys;
}

bool signed_by_one_of(const Note& note, const std::vector<std::string>& vkeys) {
  return std::any_of(vkeys.rbegin(), vkeys.rend(), [&](const std::string& vkey) {
    const auto verifier = NoteVerifier::parse(vkey);
    return verifier && note.verified_by(*verifier);
  });
}

// The checkpoint on the disk, when it is one of this log.
Result<std::optional<Checkpoint>> read_checkpoint(Generation& generation, Notices& notices) {
  const std::string path = generation.place.file("checkpoint");
  const auto text = read_small(generation.files, path);
  if (!text && text.error().fault() == Fault::absent) return std::nullopt;
  if (!text && !is_lost(text.error())) return text.error();
  if (text) {
    const auto vkeys = TRY(known_vkeys(generation));
    auto note = Note::parse(*text);
    auto checkpoint = note ? Checkpoint::parse(note->text) : Error{Fault::corrupt, "no note"};
    if (checkpoint && checkpoint->origin == generation.place.origin() && signed_by_one_of(*note, vkeys)) {
      generation.note = std::move(*note);
      generation.note_size = checkpoint->size;
      return std::move(*checkpoint);
    }
  }
  notices.push_back(fmt::format("{} is damaged; it is written anew from the leaves.", path));
  return std::nullopt;
}

Result<void> judge(Loaded& loaded, LeafScan::End end, Notices& notices) {
  Generation& generation = *loaded.generation;
  const std::string path = generation.place.file("leaves");
  const std::uint64_t leaves = generation.tree.size();
  loaded.size = leaves;
  loaded.root = generation.tree.root();
  generation.published = TRY(read_number(generation.files, generation.place.file("published"), notices));
  const std::uint64_t before = TRY(read_number(generation.files, generation.place.file("last-seq"), notices));
  generation.last_seq = std::max(generation.last_seq, before);
  const auto checkpoint = TRY(read_checkpoint(generation, notices));
  const bool differs =
      checkpoint && (checkpoint->size > leaves || checkpoint->root != generation.tree.root(checkpoint->size));
  if (differs) {
    loaded.size = checkpoint->size;
    loaded.root = checkpoint->root;
  }
  if (!loaded.has_leaves()) {
    loaded.damage = fmt::format("{} is missing or holds no leaf that can be read", path);
  } else if (end == LeafScan::End::damaged) {
    loaded.damage = fmt::format("{} is damaged behind its first {} leaves", path, leaves);
  } else if (generation.vkeys.empty()) {
    loaded.damage = fmt::format("{} does not begin with a key leaf", path);
  } else if (differs) {
    loaded.damage =
        fmt::format("{} holds {} leaves, which are not the {} of the last checkpoint", path, leaves, checkpoint->size);
  } else if (generation.published > leaves) {
    loaded.damage = fmt::format("{} holds {} leaves, but {} were published", path, leaves, generation.published);
  }
  loaded.set_aside = !loaded.damage.empty();
  return {};
}

Result<void> sort_outbox_file(Loaded& loaded, File* leaves, std::uint64_t index) {
  Generation& generation = *loaded.generation;
  const std::string path = generation.place.outbox_file(index);
  const auto known = loaded.offset_of(index);
  if (!known) {
    // Without a damage: a seal that a crash cut before its leaf; its records are still in the spool.
    if (loaded.damage.empty()) return remove_if_there(generation.files, path);
    loaded.orphans.push_back(index);
    return {};
  }
  const Leaf leaf = TRY(parse_leaf(TRY(read_leaf_at(*leaves, *known))));
  if (!leaf.object || leaf.kind != LeafKind::batch) return remove_if_there(generation.files, path);
  if (TRY(generation.files.info(path)).bytes != leaf.object->bytes) {
    loaded.spoiled.push_back(index);
    return {};
  }
  generation.pending.emplace(index, *leaf.object);
  generation.outbox_bytes += leaf.object->bytes;
  return {};
}

Result<void> load_outbox(Loaded& loaded) {
  Generation& generation = *loaded.generation;
  const std::string directory = generation.place.outbox_directory();
  auto entries = generation.files.list(directory);
  if (!entries && entries.error().fault() == Fault::absent) return {};
  if (!entries) return std::move(entries).error();
  std::unique_ptr<File> leaves;
  if (loaded.has_leaves()) leaves = TRY(generation.files.open(generation.place.file("leaves")));
  for (const auto& entry : *entries) {
    std::string_view name = entry.name;
    const bool set_aside = name.ends_with(kSetAside);
    if (set_aside) name.remove_suffix(kSetAside.size());
    const auto index = parse_number(name);
    if (entry.kind != FileKind::regular) continue;
    if (!index && name.starts_with('.'))
      TRY(remove_if_there(generation.files, join_path(directory, entry.name)));
    else if (index && !set_aside)
      TRY(sort_outbox_file(loaded, leaves.get(), *index));
    else if (index && loaded.offset_of(*index))
      loaded.spoiled_before.push_back(*index);
    else if (index && !loaded.damage.empty())
      loaded.orphans.push_back(*index);  // set aside by an attempt that did not come to its gap leaf
  }
  for (auto* list : {&loaded.orphans, &loaded.spoiled, &loaded.spoiled_before}) {
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
  return {};
}

}  // namespace

Result<Loaded> load_generation(Files& files, const GenerationPlace& place, Notices& notices) {
  Loaded loaded;
  TRY(remove_leftovers(files, place.log_directory()));
  // A disk that does not let the file be read is no damage: what cannot be read now may be whole.
  const LeafScan scan = TRY(scan_into(files, place, loaded));
  TRY(judge(loaded, scan.end, notices));
  Generation& generation = *loaded.generation;
  if (loaded.damage.empty()) {
    if (scan.end == LeafScan::End::torn)
      notices.push_back(
          fmt::format("{}: the tail of an append that a crash cut short was removed.", place.file("leaves")));
    generation.leaves = TRY(LeafFile::open(files, place.file("leaves"), loaded.offsets, scan.good_bytes));
    if (auto key = load_key(generation); !key) {
      if (key.error().fault() != Fault::absent) return std::move(key).error();
      loaded.damage = key.error().text();
    }
  }
  TRY(load_outbox(loaded));
  return loaded;
}

}  // namespace enclave::archive
