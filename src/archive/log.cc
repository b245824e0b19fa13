#include "archive/log.h"

#include <algorithm>
#include <deque>
#include <mutex>

#include "archive/generation.h"
#include "base/encoding.h"
#include "base/files.h"

namespace enclave::archive {
namespace {

constexpr std::size_t kReasonBytesMax = 1000;

std::string one_line(std::string_view text) {
  std::string line(is_utf8(text) ? text : "unknown");
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  while (line.size() > kReasonBytesMax || !is_utf8(line)) line.pop_back();
  return line.empty() ? "unknown" : line;
}

/// All calls may come from any thread; one lock, because each is a few file operations on the same files.
class LogImpl final : public Log {
  auto locked(const auto& read) const {
    const std::lock_guard lock(mutex_);
    return read();
  }

 public:
  LogImpl(World world, Options options, std::string name)
      : world_(world), options_(std::move(options)), name_(std::move(name)) {}

  Result<void> start(Notices& notices);

  const std::string& origin() const override {
    return *locked([&] { return &origins_.back(); });
  }
  std::string trust_anchor() const override {
    return locked([&] { return at_->vkeys.front(); });
  }
  std::uint64_t size() const override {
    return locked([&] { return at_->tree.size(); });
  }
  std::uint64_t last_seq() const override {
    return locked([&] { return at_->last_seq; });
  }
  std::int64_t last_leaf_wall_ns() const override {
    return locked([&] { return at_->last_wall_ns; });
  }
  std::uint64_t outbox_bytes() const override {
    return locked([&] { return at_->outbox_bytes; });
  }
  std::uint64_t published_size() const override {
    return locked([&] { return at_->published; });
  }

  Result<std::uint64_t> append(Leaf leaf, std::string_view object) override;
  std::vector<Pending> pending() const override;
  Result<std::string> read_pending(std::uint64_t index) override;
  std::string whole_pending(std::uint64_t index) const override;
  Result<void> sent(std::uint64_t index) override;
  Result<std::vector<LogFile>> tiles_to_publish(std::uint64_t size) override;
  Result<LogFile> checkpoint(std::uint64_t size) override;
  Result<void> published(std::uint64_t size) override;
  Result<void> fork(std::string_view reason) override;

 private:
  GenerationPlace place(std::uint64_t number, const std::string& name) const {
    return {options_.directory, name, options_.suffix, number};
  }
  Moment now() const { return {options_.boot_id, world_.clock.boot_ns(), world_.clock.wall_ns()}; }

  Result<std::optional<Current>> find_current(Notices& notices);
  Result<std::optional<Current>> newest_on_disk();
  Result<void> go_on(Loaded loaded, const Current& current, Notices& notices);
  Result<void> begin_after(const Loaded& loaded, std::string_view reason, Notices& notices);
  Result<void> settle();
  Result<void> give_up(std::uint64_t index);
  void clean_older_generations();
  void take(std::unique_ptr<Generation> generation) {
    at_ = std::move(generation);
    written_from_ = at_->tree.size();
    origins_.push_back(at_->place.origin());
  }

  mutable std::mutex mutex_;
  World world_;
  Options options_;
  std::string name_;                 ///< "<enclave>/<instance>"
  std::deque<std::string> origins_;  ///< the last is in force; of the others origin() gave references
  std::unique_ptr<Generation> at_;
  std::uint64_t written_from_ = 0;  ///< objects from this index on were written here, not found on the disk
  /// A fork failed while it wrote `log/current`: which generation is in force must be written down before anything
  /// else.
  bool unsettled_ = false;
};

Result<std::optional<Current>> LogImpl::newest_on_disk() {
  std::vector<std::uint64_t> numbers;
  for (const auto& entry : TRY(world_.files.list(join_path(options_.directory, "log"))))
    if (const auto number = parse_number(entry.name); number && entry.kind == FileKind::directory)
      numbers.push_back(*number);
  std::sort(numbers.rbegin(), numbers.rend());
  for (const std::uint64_t number : numbers) {
    const auto file = world_.files.open(place(number, name_).file("leaves"));
    if (!file && file.error().fault() == Fault::absent) continue;
    if (!file) return file.error();
    const auto text = read_leaf_at(**file, leaves_header().size());
    const auto leaf = text ? parse_leaf(*text) : text.error();
    const std::string end = fmt::format("/g{}", number);
    const bool named = leaf && leaf->origin.ends_with(end);
    return Current{number, named ? leaf->origin.substr(0, leaf->origin.size() - end.size()) : name_, ""};
  }
  return std::nullopt;
}

Result<std::optional<Current>> LogImpl::find_current(Notices& notices) {
  const std::string path = join_path(options_.directory, "log/current");
  const auto text = read_small(world_.files, path);
  if (!text && !is_lost(text.error())) return text.error();
  if (text)
    if (auto current = Current::parse(*text)) return std::move(*current);
  auto found = TRY(newest_on_disk());
  if (text || found || text.error().fault() == Fault::corrupt)
    notices.push_back(fmt::format("{} is damaged or missing; the newest generation is taken.", path));
  return found;
}

Result<void> LogImpl::start(Notices& notices) {
  TRY(make_directories(world_.files, join_path(options_.directory, "log")));
  TRY(make_directories(world_.files, join_path(options_.directory, "outbox")));
  const auto current = TRY(find_current(notices));
  if (!current) {
    (void)world_.files.sync_directory(parent_of(options_.directory));
    take(TRY(begin_generation(world_, place(1, name_), Beginning{now(), "", "", {}, 0})));
    return {};
  }
  Loaded loaded = TRY(load_generation(world_.files, place(current->number, current->name), notices));
  if (!loaded.damage.empty()) {
    TRY(begin_after(loaded, loaded.damage, notices));
  } else if (current->name != name_) {
    TRY(begin_after(loaded, fmt::format("the log of {} goes on as {}", current->name, name_), notices));
  } else {
    TRY(go_on(std::move(loaded), *current, notices));
  }
  clean_older_generations();
  return {};
}

// The generation is whole and ours.
Result<void> LogImpl::go_on(Loaded loaded, const Current& current, Notices& notices) {
  take(std::move(loaded.generation));
  if (at_->key_boot_id != options_.boot_id) {
    TRY(rotate_key(*at_, world_.random, now()));
    notices.push_back(fmt::format("The machine was booted: {} signs with a new key.", origins_.back()));
  }
  if (at_->boot_boot_id != options_.boot_id) TRY(at_->append(leaf_at(now(), LeafKind::boot), {}));
  for (const std::uint64_t index : loaded.spoiled) {
    notices.push_back(fmt::format("{} is not what was sealed; it was set aside.", at_->place.outbox_file(index)));
    TRY(give_up(index));
  }
  if (current.boot_id != options_.boot_id) TRY(write_current(world_.files, at_->place, options_.boot_id));
  if (at_->checkpoint_is_due()) (void)at_->write_checkpoint();
  return {};
}

Result<void> LogImpl::begin_after(const Loaded& loaded, std::string_view reason, Notices& notices) {
  const GenerationPlace& old = loaded.generation->place;
  // Before the switch, behind which all that is left in the old outbox is thought to be in the new one.
  for (const auto* list : {&loaded.orphans, &loaded.spoiled})
    for (const std::uint64_t index : *list)
      if (const std::string path = old.outbox_file(index); world_.files.info(path, false))
        TRY(world_.files.rename(path, path + ".bad"));
  Beginning beginning;
  beginning.moment = now();
  beginning.previous = fmt::format("{} {} {}", old.origin(), loaded.size, to_hex(bytes_of(loaded.root)));
  beginning.reason = one_line(reason);
  beginning.carried = TRY(carried_from(loaded, beginning.moment));
  beginning.last_seq = loaded.generation->last_seq;
  take(TRY(begin_generation(world_, place(old.number + 1, name_), beginning)));
  if (loaded.set_aside) {
    (void)world_.files.rename(old.file("leaves"), old.file("leaves") + ".bad");
    notices.push_back(fmt::format("{}; it was set aside as leaves.bad.", loaded.damage));
  }
  notices.push_back(fmt::format("The log goes on as {}: {}. Give the auditor its trust anchor {}.", origins_.back(),
                                beginning.reason, at_->vkeys.front()));
  return {};
}

// Not needed for anything: what fails is tried again at the next start.
void LogImpl::clean_older_generations() {
  Files& files = world_.files;
  const auto is_older = [&](const DirectoryEntry& entry) {
    const auto number = parse_number(entry.name);
    return number && *number < at_->place.number && entry.kind == FileKind::directory;
  };
  const std::string logs = join_path(options_.directory, "log");
  for (const auto& entry : files.list(logs).value_or(std::vector<DirectoryEntry>{})) {
    if (!is_older(entry)) continue;
    (void)erase_key(files, fmt::format("{}/{}/signing-key", logs, entry.name));
    (void)erase_key(files, fmt::format("{}/{}/signing-key.new", logs, entry.name));
  }
  const std::string outboxes = join_path(options_.directory, "outbox");
  for (const auto& entry : files.list(outboxes).value_or(std::vector<DirectoryEntry>{})) {
    if (!is_older(entry)) continue;
    const std::string outbox = join_path(outboxes, entry.name);
    for (const auto& object : files.list(outbox).value_or(std::vector<DirectoryEntry>{}))
      if (!object.name.ends_with(".bad")) (void)files.remove(join_path(outbox, object.name));
  }
}

// What each call does first: finish what the disk refused before.
Result<void> LogImpl::settle() {
  if (unsettled_) {
    TRY(write_current(world_.files, at_->place, options_.boot_id));
    discard_generation(world_.files, place(at_->place.number + 1, name_));
    unsettled_ = false;
  }
  if (at_->leaves->clean() && at_->checkpoint_is_due()) (void)at_->write_checkpoint();
  return {};
}

Result<std::uint64_t> LogImpl::append(Leaf leaf, std::string_view object) {
  const std::lock_guard lock(mutex_);
  TRY(settle());
  return at_->append(std::move(leaf), object);
}

std::vector<Log::Pending> LogImpl::pending() const {
  const std::lock_guard lock(mutex_);
  std::vector<Pending> all;
  all.reserve(at_->pending.size());
  for (const auto& [index, object] : at_->pending) all.push_back({index, object.key, object.bytes, object.sha256});
  return all;
}

// The object is lost, and the log says so.
Result<void> LogImpl::give_up(std::uint64_t index) {
  const std::string path = at_->place.outbox_file(index);
  const Leaf lost = TRY(at_->leaf(index));
  TRY(at_->append(gap_over(lost, now(), std::string(kSpoiledReason)), {}));
  (void)world_.files.rename(path, path + ".bad");
  if (const auto found = at_->pending.find(index); found != at_->pending.end()) {
    at_->outbox_bytes -= found->second.bytes;
    at_->pending.erase(found);
  }
  return {};
}

Result<std::string> LogImpl::read_pending(std::uint64_t index) {
  const std::lock_guard lock(mutex_);
  const auto found = at_->pending.find(index);
  if (found == at_->pending.end()) return Error{Fault::absent, "no object of leaf {} waits to be sent", index};
  const std::string path = at_->place.outbox_file(index);
  const LeafObject object = found->second;
  const auto info = world_.files.info(path);
  if (!info && info.error().fault() != Fault::absent) return info.error();
  if (info && info->bytes == object.bytes) {
    std::string bytes = TRY(read_file(world_.files, path, object.bytes));
    if (crypto::sha256(bytes) == object.sha256) return bytes;
  }
  TRY(settle());
  TRY(give_up(index));
  return Error{Fault::corrupt, "{} is not what was sealed; it was set aside, and a gap leaf says so", path};
}

std::string LogImpl::whole_pending(std::uint64_t index) const {
  const std::lock_guard lock(mutex_);
  return index >= written_from_ && at_->pending.contains(index) ? at_->place.outbox_file(index) : std::string();
}

Result<void> LogImpl::sent(std::uint64_t index) {
  const std::lock_guard lock(mutex_);
  TRY(settle());
  const auto found = at_->pending.find(index);
  if (found == at_->pending.end()) return {};
  TRY(remove_if_there(world_.files, at_->place.outbox_file(index)));
  at_->outbox_bytes -= found->second.bytes;
  at_->pending.erase(found);
  return {};
}

Result<std::vector<LogFile>> LogImpl::tiles_to_publish(std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (size > at_->tree.size() || size < at_->published)
    return Error{Fault::invalid, "the log has {} leaves, of which {} are published; not {}", at_->tree.size(),
                 at_->published, size};
  std::vector<LogFile> tiles;
  for (const TileId& tile : tiles_between(at_->published, size)) {
    std::string bytes;
    if (tile.entries) {
      std::vector<std::string> entries;
      for (unsigned i = 0; i < tile.width; ++i) entries.push_back(TRY(at_->leaves->read(tile.index * kTileWidth + i)));
      bytes = encode_entries(entries);
    } else {
      bytes = at_->tree.hash_tile(tile);
    }
    tiles.push_back(LogFile{fmt::format("v1/{}/{}", origins_.back(), tile_path(tile)), std::move(bytes)});
  }
  return tiles;
}

Result<LogFile> LogImpl::checkpoint(std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (size > at_->tree.size()) return Error{Fault::invalid, "the log has {} leaves, not {}", at_->tree.size(), size};
  const std::string key = fmt::format("v1/{}/checkpoint", origins_.back());
  if (at_->note && at_->note_size == size) return LogFile{key, at_->note->format()};
  // The key that signed up to there is erased; no leaf of that tree names the one that is left.
  if (size <= at_->key_index || (size == at_->key_index + 1 && at_->vkeys.size() > 1))
    return Error{Fault::unsupported, "a checkpoint of {} leaves can be signed no more; take one of {} or more", size,
                 at_->key_index + 2};
  return LogFile{key, at_->signed_checkpoint(size).format()};
}

Result<void> LogImpl::published(std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  TRY(settle());
  if (size > at_->tree.size()) return Error{Fault::invalid, "the log has {} leaves, not {}", at_->tree.size(), size};
  if (size <= at_->published) return {};
  TRY(replace_file(world_.files, at_->place.file("published"), fmt::format("{}\n", size)));
  at_->published = size;
  return {};
}

Result<void> LogImpl::fork(std::string_view reason) {
  const std::lock_guard lock(mutex_);
  TRY(settle());
  if (!at_->leaves->clean()) TRY(at_->leaves->repair());
  Notices ignored;
  const Loaded loaded = TRY(load_generation(world_.files, at_->place, ignored));
  unsettled_ = true;
  TRY(begin_after(loaded, reason, ignored));
  unsettled_ = false;
  clean_older_generations();
  return {};
}

}  // namespace

Result<std::unique_ptr<Log>> Log::open(World world, Options options, Notices& notices) {
  const std::string enclave = TRY(origin_part(options.enclave));
  const std::string instance = TRY(origin_part(options.instance));
  if (options.boot_id.empty() || options.boot_id.size() > 64 ||
      options.boot_id.find_first_not_of("0123456789abcdef-") != std::string::npos)
    return Error{Fault::invalid, "the boot id \"{}\" is not made of lower-case hex digits and dashes", options.boot_id};
  auto log = std::make_unique<LogImpl>(world, std::move(options), enclave + "/" + instance);
  TRY(log->start(notices));
  return log;
}

}  // namespace enclave::archive
