#include <algorithm>

#include "archive/generation.h"
#include "base/encoding.h"
#include "base/files.h"

/// Making a generation, and what the one before leaves to it.
namespace enclave::archive {
namespace {

constexpr std::uint64_t kObjectBytesMax = 1ULL << 32;
constexpr std::size_t kGapSourceBytesMax = 60'000;  // leaves room for the reason

/// Walks over the leaves of a generation that ends and gathers what the next one repeats.
class Carrier {
 public:
  Carrier(const Loaded& loaded, const Moment& moment)
      : loaded_(loaded), generation_(*loaded.generation), moment_(moment) {
    for (const auto& [index, object] : generation_.pending) first_ = std::min(first_, index);
  }

  void leaf(const Leaf& leaf) {
    if (leaf.index >= first_) {
      declare_hole(leaf);
      carry(leaf);
    }
    next_index_ = leaf.index + 1;
    if (leaf.seq) last_seq_ = std::max(last_seq_, leaf.seq->second);
    for (const auto& each : leaf.sources) positions_[each.source] = each.to;
  }

  std::vector<Carried> finish() {
    if (loaded_.orphans.empty()) return std::move(carried_);
    Leaf gap = leaf_at(moment_, LeafKind::gap);
    gap.reason = fmt::format("the leaves of {} sealed objects were damaged on this machine before the store had them",
                             loaded_.orphans.size());
    gap.sources.push_back({"outbox:" + generation_.place.origin(), std::to_string(loaded_.orphans.front()),
                           std::to_string(loaded_.orphans.back() + 1), 0, loaded_.orphans.size()});
    carried_.push_back({std::move(gap), std::nullopt});
    return std::move(carried_);
  }

 private:
  // Leaves that cannot be read any more stood between the last one and this: say which records they were about.
  void declare_hole(const Leaf& leaf) {
    hole_ = hole_ || leaf.index > std::max(next_index_, first_);
    if (!hole_ || !leaf.seq) return;
    hole_ = false;
    if (leaf.seq->first <= last_seq_ + 1) return;
    Leaf gap = leaf_at(moment_, LeafKind::gap);
    gap.seq = {last_seq_ + 1, leaf.seq->first - 1};
    gap.reason =
        fmt::format("the leaves about these records in {} were damaged on this machine before they were published",
                    generation_.place.origin());
    for (const auto& each : leaf.sources)
      if (const auto at = positions_.find(each.source); at != positions_.end() && at->second != each.from)
        gap.sources.push_back({each.source, at->second, each.from, 0, 0});
    carried_.push_back({std::move(gap), std::nullopt});
  }

  void carry(const Leaf& leaf) {
    const auto among = [&](const std::vector<std::uint64_t>& list) {
      return std::binary_search(list.begin(), list.end(), leaf.index);
    };
    if (generation_.pending.contains(leaf.index)) {
      carried_.push_back({leaf, generation_.place.outbox_file(leaf.index)});
    } else if (leaf.index < generation_.published) {
      return;
    } else if (among(loaded_.spoiled) || among(loaded_.spoiled_before)) {
      add_gap(leaf, std::string(kSpoiledReason));
    } else if (leaf.kind == LeafKind::batch && leaf.object) {
      add_gap(leaf,
              fmt::format("the object was sent as {}, but the end of that log was never published", leaf.object->key));
    } else if (leaf.kind == LeafKind::batch || leaf.kind == LeafKind::gap || leaf.kind == LeafKind::fork ||
               leaf.kind == LeafKind::expire) {
      carried_.push_back({leaf, std::nullopt});
    }
  }

  void add_gap(const Leaf& leaf, std::string reason) {
    carried_.push_back({gap_over(leaf, moment_, std::move(reason)), std::nullopt});
  }

  const Loaded& loaded_;
  const Generation& generation_;
  const Moment& moment_;
  std::uint64_t first_ = generation_.published;  ///< leaves before it are in the store
  std::uint64_t next_index_ = 0;
  std::uint64_t last_seq_ = 0;
  bool hole_ = false;
  std::map<std::string, std::string> positions_;
  std::vector<Carried> carried_;
};

Result<void> empty_directory(Files& files, const std::string& directory) {
  TRY(make_directories(files, directory));
  for (const auto& entry : TRY(files.list(directory))) {
    const std::string path = join_path(directory, entry.name);
    if (entry.name.starts_with("signing-key"))
      TRY(erase_key(files, path));
    else
      TRY(remove_if_there(files, path));
  }
  return {};
}

Leaf first_key_leaf(const Generation& generation, const Moment& moment) {
  Leaf leaf = leaf_at(moment, LeafKind::key);
  leaf.origin = generation.place.origin();
  leaf.vkey = generation.vkey_of(*generation.key);
  leaf.signatures.push_back({leaf.vkey, std::string(bytes_of(generation.key->sign(signed_part_of(leaf))))});
  return leaf;
}

// The same bytes under a second name: no space is needed for them, which may be what is short.
Result<void> take_object(Files& files, const std::string& from, const std::string& to) {
  if (files.link(from, to)) return {};
  return replace_file(files, to, TRY(read_file(files, from, kObjectBytesMax)));
}

Result<std::string> write_first_leaves(Generation& generation, const Beginning& beginning,
                                       std::vector<std::uint64_t>& offsets) {
  std::string file(leaves_header());
  const auto add = [&](Leaf leaf) -> Result<void> {
    leaf.origin = generation.place.origin();
    leaf.index = generation.tree.size();
    TRY(check_leaf(leaf));
    const std::string text = format_leaf(leaf);
    offsets.push_back(file.size());
    file += leaf_frame(text);
    generation.learn(leaf, text);
    return {};
  };
  TRY(add(first_key_leaf(generation, beginning.moment)));
  if (!beginning.previous.empty()) {
    Leaf fork = leaf_at(beginning.moment, LeafKind::fork);
    fork.previous = beginning.previous;
    fork.reason = beginning.reason;
    TRY(add(std::move(fork)));
  }
  TRY(add(leaf_at(beginning.moment, LeafKind::boot)));
  for (const auto& each : beginning.carried) {
    Leaf leaf = each.leaf;
    const std::uint64_t index = generation.tree.size();
    if (each.object_file) {
      leaf.object->key = generation.place.object_key(index);
      TRY(take_object(generation.files, *each.object_file, generation.place.outbox_file(index)));
      generation.pending.emplace(index, *leaf.object);
      generation.outbox_bytes += leaf.object->bytes;
    }
    TRY(add(std::move(leaf)));
  }
  return file;
}

Result<void> write_generation(World world, Generation& generation, const Beginning& beginning) {
  Files& files = world.files;
  const GenerationPlace& place = generation.place;
  TRY(empty_directory(files, place.log_directory()));
  TRY(empty_directory(files, place.outbox_directory()));
  // An attempt before this one may have made the directories without syncing their names.
  for (const char* made : {"log", "outbox", ""})
    TRY(files.sync_directory(*made == 0 ? place.state : join_path(place.state, made)));
  generation.key = crypto::Ed25519PrivateKey::generate(world.random);
  TRY(replace_file(files, place.file("signing-key"), generation.key->seed().reveal()));
  TRY(replace_file(files, place.file("last-seq"), fmt::format("{}\n", beginning.last_seq)));
  std::vector<std::uint64_t> offsets;
  const std::string leaves = TRY(write_first_leaves(generation, beginning, offsets));
  TRY(files.sync_directory(place.outbox_directory()));
  TRY(replace_file(files, place.file("leaves"), leaves));
  generation.leaves = TRY(LeafFile::open(files, place.file("leaves"), std::move(offsets), leaves.size()));
  generation.last_seq = std::max(generation.last_seq, beginning.last_seq);
  TRY(generation.write_checkpoint());
  return replace_file(files, place.file("anchor"), generation.vkeys.front() + "\n");
}

}  // namespace

Leaf gap_over(const Leaf& lost, const Moment& moment, std::string reason) {
  Leaf gap = leaf_at(moment, LeafKind::gap);
  gap.seq = lost.seq;
  gap.sources = lost.sources;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < gap.sources.size(); ++i) {
    bytes += leaf_source_bytes(gap.sources[i].source, gap.sources[i].from, gap.sources[i].to);
    if (bytes > kGapSourceBytesMax) gap.sources.resize(i);
  }
  gap.reason = std::move(reason);
  return gap;
}

Result<std::vector<Carried>> carried_from(const Loaded& loaded, const Moment& moment) {
  const GenerationPlace& place = loaded.generation->place;
  Carrier carrier(loaded, moment);
  if (!loaded.has_leaves()) return carrier.finish();
  auto file = TRY(loaded.generation->files.open(place.file("leaves")));
  const auto visit = [&](std::uint64_t offset) -> Result<void> {
    const auto text = read_leaf_at(*file, offset);
    if (!text && text.error().fault() != Fault::corrupt) return text.error();
    const auto leaf = text ? parse_leaf(*text) : text.error();
    if (leaf) carrier.leaf(*leaf);
    return {};
  };
  for (const std::uint64_t offset : loaded.offsets) TRY(visit(offset));
  for (const auto& [index, offset] : loaded.salvaged) TRY(visit(offset));
  return carrier.finish();
}

Result<void> write_current(Files& files, const GenerationPlace& place, const std::string& boot_id) {
  const Current current{place.number, place.name, boot_id};
  return replace_file(files, fmt::format("{}/log/current", place.state), current.text());
}

void discard_generation(Files& files, const GenerationPlace& place) {
  // The leaves first: leaves whose key is erased would be taken for a log that somebody robbed of it.
  if (!remove_if_there(files, place.file("leaves")) || !files.sync_directory(place.log_directory())) return;
  (void)empty_directory(files, place.log_directory());
  (void)empty_directory(files, place.outbox_directory());
}

Result<std::unique_ptr<Generation>> begin_generation(World world, const GenerationPlace& place,
                                                     const Beginning& beginning) {
  auto generation = std::make_unique<Generation>(world.files, place);
  if (auto written = write_generation(world, *generation, beginning); !written) {
    // Half of a generation must not be taken for one, should `current` be lost.
    discard_generation(world.files, place);
    return std::move(written).error();
  }
  TRY(write_current(world.files, place, beginning.moment.boot_id));
  return generation;
}

}  // namespace enclave::archive
