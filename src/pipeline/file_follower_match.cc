#include <algorithm>
#include <array>

#include "base/files.h"
#include "pipeline/file_follower.h"

namespace enclave::pipeline {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kGraceNs = 60 * kSecond;
// A directory that is gone may be a file system that is not mounted yet.
constexpr std::int64_t kDirectoryGraceNs = 24 * 3600 * kSecond;
constexpr std::size_t kCandidatesMax = 64;
constexpr std::uint64_t kBannerBytes = 256;

std::string stem_path(const std::string& path) {
  const auto name = name_in(path);
  const auto dot = name.rfind('.');
  const auto stem = dot == std::string_view::npos || dot == 0 ? name : name.substr(0, dot);
  return join_path(parent_of(path), stem);
}

}  // namespace

void FileFollower::restore(const Positions& positions) {
  for (auto& [source, text] : positions.all("file:")) {
    const auto first_path = path_of_source(source);
    auto state = parse_state(text);
    if (!first_path || !state) {
      log_.trouble(source, fmt::format("{}: {}; its file is read from its beginning", source,
                                       (!first_path ? first_path.error() : state.error()).text()));
      continue;
    }
    // Other inputs have theirs among these.
    if (!scanner_.wants(*first_path) && !scanner_.wants(state->path)) continue;
    first_start_ = false;
    auto tail = std::make_unique<Tail>();
    tail->source = source;
    tail->state = std::move(*state);
    tail->cursor = {tail->state.offset, tail->state.offset, tail->state.crc, tail->state.summed, 0};
    tail->restored = true;
    tail->perhaps_copy = tail->state.print.bytes == 0;
    Tail* other = tail->is_orphan() ? nullptr : tails_.by_id(tail->state.id);
    Tail& added = tails_.add(std::move(tail));
    if (other != nullptr) settle(*other, added);
  }
}

// Two sources claim one file: it was truncated, and the end of the older one did not reach the registry.
void FileFollower::settle(Tail& one, Tail& other) {
  Tail* real = one.state.print.bytes > other.state.print.bytes ? &one : &other;
  Tail* older = real == &one ? &other : &one;
  if (auto file = world_.files.open(real->state.path)) {
    const auto claims = continues(real->state, **file, real->state.packed);
    if (claims && !*claims) std::swap(real, older);
  }
  tails_.identify(*older, {});
  older->state.truncated = true;
}

std::string FileFollower::new_source(std::string_view path) {
  std::array<std::uint8_t, 4> bytes;
  world_.random.fill(bytes);
  std::uint32_t number = 0;
  for (const auto byte : bytes) number = number << 8 | byte;
  return file_source(path, number);
}

FileFollower::Related FileFollower::related() const {
  Related relations;
  for (const auto& tail : tails_.all()) {
    if (tail->forgotten) continue;
    const std::string key = stem_path(tail->state.path);
    relations.emplace(key, tail.get());
    if (const auto first = path_of_source(tail->source); first && stem_path(*first) != key)
      relations.emplace(stem_path(*first), tail.get());
  }
  return relations;
}

void FileFollower::verify_queued() {
  const auto& all = tails_.all();
  for (std::size_t i = 0, count = all.size(); i < count; ++i) {
    Tail& tail = *all[i];
    if (!tail.queued || tail.state.packed || !tails_.open(tail)) continue;
    const auto info = tail.file->info();
    if (!info) continue;
    if (const auto same = is_same_content(tail, *info); !same || *same) continue;
    begin_anew(tail);
    // What it holds now may have been packed already.
    (void)is_same_content(tail, *info);
  }
}

Result<bool> FileFollower::is_same_content(Tail& tail, const FileInfo& info) {
  if (info.bytes < tail.cursor.offset) return false;
  std::array<char, kFingerprintBytes> buffer;
  PlainContent content(*tail.file);
  const std::size_t got =
      TRY(content.read_at(0, std::span(buffer).first(std::min<std::uint64_t>(info.bytes, buffer.size()))));
  const std::string_view front(buffer.data(), got);
  if (!fits(tail.state.print, front)) return false;
  if (got > tail.state.print.bytes) tail.state.print = fingerprint_of(front);
  return true;
}

// The same file, but what it held is gone: truncated, or written anew. Its source goes on as one without a file, since
// a copy may have been made; the file begins a source of its own.
void FileFollower::begin_anew(Tail& tail) {
  auto old = std::make_unique<Tail>();
  old->source = std::exchange(tail.source, new_source(tail.state.path));
  old->state = tail.state;
  old->state.id = {};
  old->state.truncated = true;
  old->cursor = tail.cursor;
  old->cursor.scanned = old->cursor.offset;
  old->lost = std::exchange(tail.lost, 0);
  old->poll = std::exchange(tail.poll, 0);
  old->range = tail.range;
  old->gone_since_ns = std::max<std::int64_t>(now_ns_, 1);
  old->at_end = true;
  mark(tails_.add(std::move(old)));
  tail.state.offset = tail.state.seen_bytes = 0;
  tail.state.print = {};
  tail.state.crc = 0;
  tail.state.summed = true;
  tail.state.whole = tail.state.truncated = false;
  tail.cursor = {};
  tail.cut = nullptr;
  tail.stored_bytes = Tail::kUnknown;
  tail.unpacker.reset();
  mark(tail);
}

void FileFollower::adopt(const FoundFile& found, const Related& relations) {
  // Reached by an earlier path of the same scan.
  if (tails_.by_id(found.info.id) != nullptr) return;
  if (options_.ignore_older.count() > 0 &&
      world_.clock.wall_ns() - found.info.modified_ns > options_.ignore_older.count())
    return;
  if (file_source(found.path, 0).empty())
    return troubles_.tell(found.path, fmt::format("{}: the path is longer than {} bytes; the file is not read",
                                                  found.path, kFilePathBytes));
  if (!options_.gzip && has_gzip_name(found.path)) return;
  if (auto decided = decide(found, relations); !decided) {
    if (decided.error().fault() == Fault::absent) return;
    troubles_.tell(found.path, fmt::format("cannot read {}", decided.error().text()));
  }
}

// Tails whose content may have come to stand under this path.
std::vector<Tail*> FileFollower::candidates(const std::string& path, const Related& relations) const {
  std::vector<Tail*> found;
  const std::string directory = parent_of(path);
  const auto name = name_in(path);
  for (std::size_t i = 1; i <= name.size() && !relations.empty(); ++i) {
    if (i < name.size() && std::string_view(".-_").find(name[i]) == std::string_view::npos) continue;
    const auto [begin, end] = relations.equal_range(join_path(directory, name.substr(0, i)));
    for (auto at = begin; at != end && found.size() < kCandidatesMax; ++at) {
      // What stands where a log is written is the log's successor, never its copy.
      const auto first = path_of_source(at->second->source);
      if (at->second->state.path != path && (!first || *first != path)) found.push_back(at->second);
    }
  }
  return found;
}

Result<void> FileFollower::decide(const FoundFile& found, const Related& relations) {
  const auto related = candidates(found.path, relations);
  const bool zipped = has_gzip_name(found.path);
  if (!zipped && (related.empty() || found.info.bytes == 0)) {
    start(found, false, !related.empty());
    return {};
  }
  auto file = TRY(world_.files.open(found.path));
  const bool packed = zipped && TRY(is_packed(*file));
  // Somebody is about to fill it.
  if (zipped && found.info.bytes == 0) return {};
  if (packed) {
    // gzip removes the original when the packed file is whole.
    if (auto original = world_.files.open(found.path.substr(0, found.path.size() - 3))) {
      PlainContent content(**original);
      if (TRY(is_copy(*file, true, content))) return {};
    }
  }
  for (Tail* tail : related)
    if (TRY(compare(*tail, found, packed, *file)) != Verdict::unrelated) return {};
  start(found, packed, false);
  return {};
}

// A file that was empty when it was met has its first bytes. If they are another one's, it was none of its own.
Result<bool> FileFollower::withdraw_copy(Tail& tail) {
  // A handle of its own: the comparison may close idle ones.
  const auto file = TRY(world_.files.open(tail.state.path));
  const FileInfo info = TRY(file->info());
  if (info.id != tail.state.id || info.bytes == 0) return false;
  tail.perhaps_copy = false;
  const FoundFile found{tail.state.path, info, false};
  for (Tail* other : candidates(found.path, related())) {
    if (other == &tail || TRY(compare(*other, found, false, *file)) == Verdict::unrelated) continue;
    tail.forgotten = any_forgotten_ = true;
    tail.at_end = true;
    mark(tail);
    return true;
  }
  return false;
}

// Without times of birth, a file under another name may be the old one renamed, or a new one with its inode number.
bool FileFollower::is_reused(Tail& tail, const FileInfo& info, const std::string& path) {
  if (info.id.born_ns != 0 || tail.file || tail.state.path == path || tail.state.print.bytes == 0) return false;
  auto file = world_.files.open(path);
  if (!file) return false;
  tail.state.offset = tail.cursor.offset;
  tail.state.crc = tail.cursor.sum;
  tail.state.summed = tail.cursor.summed;
  const auto same = continues(tail.state, **file, tail.state.packed);
  if (!same || *same) return false;
  tail.state.truncated = true;  // or it was renamed and truncated, and a copy may have been made
  return true;
}

// Written a moment ago, so that its writer may not be through.
bool FileFollower::is_fresh(const FileInfo& info) const { return world_.clock.wall_ns() - info.modified_ns < kGraceNs; }

// A copy is not older than what it is a copy of, unless the clock was set back in between. Once more was read than the
// banner with which a program begins all its logs, equal content says enough.
bool FileFollower::is_older(const FileInfo& info, const Tail& tail) const {
  if (tail.cursor.summed && tail.cursor.offset >= kBannerBytes) return false;
  return info.modified_ns / kSecond < tail.state.modified_ns / kSecond &&
         tail.state.modified_ns <= world_.clock.wall_ns();
}

Result<FileFollower::Verdict> FileFollower::compare(Tail& tail, const FoundFile& found, bool packed, File& file) {
  const bool gone = tail.is_orphan() || tail.deleted;
  if (gone) {
    if (!packed && !may_have_copy(tail, name_in(found.path))) return Verdict::unrelated;
    if (is_older(found.info, tail)) return Verdict::unrelated;
    tail.state.offset = tail.cursor.offset;
    tail.state.crc = tail.cursor.sum;
    tail.state.summed = tail.cursor.summed;
    if (!TRY(continues(tail.state, file, packed))) return Verdict::unrelated;
    // Its handle may still give more than anybody packed.
    if (!tail.is_orphan() && (tail.queued || !tail.at_end)) return Verdict::wait;
    attach(tail, found.path, found.info, packed);
    return Verdict::attached;
  }
  // A copy that is being made before the original is truncated; once that has happened it is known which part of it is
  // new. A copy that nobody touches any more is a file of its own.
  if (tail.state.packed || !is_fresh(found.info)) return Verdict::unrelated;
  if (auto opened = tails_.open(tail); !opened) return Verdict::unrelated;
  if (!packed && found.info.bytes > TRY(tail.file->info()).bytes) return Verdict::unrelated;
  PlainContent original(*tail.file);
  if (!TRY(is_copy(file, packed, original))) return Verdict::unrelated;
  scan_soon();
  return Verdict::wait;
}

void FileFollower::attach(Tail& tail, const std::string& path, const FileInfo& info, bool packed) {
  dequeue(tail);
  tails_.close(tail);
  tails_.identify(tail, info.id);
  tails_.move(tail, path);
  tail.state.packed = packed;
  tail.state.whole = tail.state.truncated = false;
  tail.cursor.scanned = tail.cursor.offset;
  tail.stored_bytes = Tail::kUnknown;
  tail.gone_since_ns = tail.stuck_since_ns = 0;
  tail.deleted = tail.restored = false;
  tail.scan = scans_;
  mark(tail);
  enqueue(tail);
}

void FileFollower::start(const FoundFile& found, bool packed, bool perhaps_copy) {
  auto added = std::make_unique<Tail>();
  added->source = new_source(found.path);
  added->state.id = found.info.id;
  added->state.path = found.path;
  added->state.packed = packed;
  added->state.summed = true;
  added->perhaps_copy = perhaps_copy;
  added->scan = scans_;
  added->unwatched = found.link || !is_watched(found.path);
  any_unwatched_ = any_unwatched_ || added->unwatched;
  if (first_start_ && !options_.from_beginning) {
    added->cursor.offset = added->cursor.scanned = packed ? 0 : found.info.bytes;
    added->cursor.summed = false;
    added->state.whole = packed;
    added->state.modified_ns = found.info.modified_ns;
  }
  Tail& tail = tails_.add(std::move(added));
  // Told at once: the file may be renamed before anything of it was read, and then nothing else would know it.
  mark(tail);
  look_at(tail, found.info);
}

// A truncated file leaves a plain copy behind; so does one that was copied and removed, but then under its own name
// with something added. Numbered logs of a program that always begins alike are no copies of each other.
bool FileFollower::may_have_copy(const Tail& tail, std::string_view name) {
  if (tail.state.truncated || is_extended(name_in(tail.state.path), name)) return true;
  const auto first = path_of_source(tail.source);
  return first && is_extended(name_in(*first), name);
}

// Looks for what became of a source whose file is gone, also under names that the patterns do not cover.
bool FileFollower::continue_orphan(Tail& tail) {
  // Of a file that was empty when last seen nothing is known by which its content could be told from another's.
  if (tail.state.print.bytes == 0) return false;
  const std::string directory = parent_of(tail.state.path);
  const auto first = path_of_source(tail.source);
  std::vector<std::pair<FileInfo, std::string>> candidates;
  for (const auto& entry : listing(directory).entries) {
    const bool zipped = options_.gzip && has_gzip_name(entry.name);
    if (entry.kind != FileKind::regular || (!zipped && !may_have_copy(tail, entry.name))) continue;
    if (!may_be_rotated(name_in(tail.state.path), entry.name) &&
        !(first && may_be_rotated(name_in(*first), entry.name)))
      continue;
    const std::string path = join_path(directory, entry.name);
    const auto info = world_.files.info(path, false);
    if (!info || is_older(*info, tail) || tails_.by_id(info->id)) continue;
    if (zipped && world_.files.info(path.substr(0, path.size() - 3))) continue;
    candidates.emplace_back(*info, path);
  }
  // The oldest that is young enough is the likeliest.
  std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first.modified_ns, a.second) < std::tie(b.first.modified_ns, b.second);
  });
  if (candidates.size() > kCandidatesMax) candidates.resize(kCandidatesMax);
  for (const auto& [info, path] : candidates) {
    auto file = world_.files.open(path);
    if (!file) continue;
    const auto packed = is_packed(**file);
    if (!packed) continue;
    const auto same = continues(tail.state, **file, *packed && has_gzip_name(path));
    if (!same || !*same) continue;
    attach(tail, path, info, *packed && has_gzip_name(path));
    return true;
  }
  return false;
}

void FileFollower::orphan(Tail& tail) {
  dequeue(tail);
  tails_.close(tail);
  tails_.identify(tail, {});
  tail.gone_since_ns = std::max<std::int64_t>(now_ns_, 1);
  mark(tail);
}

void FileFollower::expire(Tail& tail) {
  if (tail.gone_since_ns == 0) tail.gone_since_ns = std::max<std::int64_t>(now_ns_, 1);
  const Listing& there = listing(parent_of(tail.state.path));
  if (there.failed) return;
  if (now_ns_ - tail.gone_since_ns >= (there.absent ? kDirectoryGraceNs : kGraceNs)) forget(tail);
}

void FileFollower::forget(Tail& tail) {
  dequeue(tail);
  if (tail.file) read_rest(tail);
  const FileState& state = tail.state;
  std::uint64_t lost =
      state.seen_bytes > tail.cursor.offset && !state.whole ? state.seen_bytes - tail.cursor.offset : 0;
  // How much a packed file would still have given is not known.
  if (state.packed && !state.whole) lost = std::max<std::uint64_t>(lost, 1);
  if (lost > 0) {
    tail.lost += lost;
    log_.count("bytes_lost", static_cast<std::int64_t>(lost));
    log_.trouble(
        fmt::format("lost: {}", tail.state.path),
        fmt::format("{}: {} bytes were {} before they were read; the log says so. Rotate by renaming, and keep "
                    "the renamed file until it was read",
                    tail.state.path, lost, state.truncated ? "truncated away" : "removed"));
  }
  tail.forgotten = any_forgotten_ = true;
  mark(tail);
}

}  // namespace enclave::pipeline
