#include "pipeline/beats_seen.h"

#include <algorithm>
#include <map>

#include "pipeline/beats_seen_file.h"

namespace enclave::pipeline {
namespace {

constexpr std::size_t kFileRangesMax = 2'048, kLatestMax = 256;
// First lines that are often the same: headers and banners. Ranges end behind so many, to be met one by one.
constexpr std::uint32_t kFirstEnd = 4, kSecondEnd = 16;

}  // namespace

BeatsSeen::BeatsSeen(World world, const Positions& positions, std::uint64_t port, InputLog& log)
    : world_(world), log_(log), port_(port) {
  load(positions);
  keep_bounds();
}

std::uint64_t BeatsSeen::scope_of(std::string_view name) { return seen_hash(name); }

void BeatsSeen::load(const Positions& positions) {
  std::map<std::pair<std::string, std::uint32_t>, std::pair<SeenKey, SeenChunk>> chunks;
  for (const auto& [source, state] : positions.all(seen_prefix(port_))) {
    auto name = parse_seen_source(source, port_);
    auto chunk = parse_seen(state);
    if (!name || !chunk) {
      forgotten_.push_back(source);
      continue;
    }
    chunks.emplace(std::pair(source.substr(0, source.rfind('.')), name->number), std::pair(name->key, *chunk));
  }
  for (const auto& [name, found] : chunks) {
    auto& file = files_[found.first];
    if (file == nullptr) file = std::make_shared<SeenFile>();
    file->key = found.first;
    file->seconds = std::max(file->seconds, found.second.seconds);
    const std::uint32_t content_before = file->content;
    file->content = std::max(file->content, found.second.content);
    // What comes stands in chunks of its own.
    file->next_chunk = name.second;
    file->chunk_ranges = SeenChunk::kRangesMax;
    for (std::uint32_t of_top = content_before; const auto& range : found.second.ranges) {
      SeenFile::Range made;
      static_cast<SeenRange&>(made) = range;
      made.process = found.second.process;
      made.content = found.second.content;
      made.number = file->next_number++;
      made.chunk = name.second;
      file->top = std::max(file->top, range.last);
      if (made.content > of_top) file->content_top = 0;
      of_top = made.content;
      file->content_top = std::max(file->content_top, range.last);
      file->ranges.push_back(made);
      ++ranges_;
    }
    ++file->next_chunk;
  }
  std::vector<std::shared_ptr<SeenFile>> known;
  for (const auto& [key, file] : files_) known.push_back(file);
  std::ranges::sort(known, {}, [](const auto& file) { return file->seconds; });
  latest_.assign(known.end() - static_cast<std::ptrdiff_t>(std::min(known.size(), kLatestMax)), known.end());
}

SeenFile* BeatsSeen::file_of(SeenStream& stream, const BeatLine& line) {
  if (line.same_origin && stream.file != nullptr && !stream.file->gone) return stream.file.get();
  scratch_.clear();
  const bool certain = !line.inode.empty() || !line.fingerprint.empty();
  const auto hash_of = [this](std::initializer_list<std::string_view> parts) {
    scratch_.clear();
    for (const auto part : parts) scratch_.append(part) += '"';  // which stands in no part
    return seen_hash(scratch_);
  };
  // A file that is known by its number may have another name tomorrow.
  const SeenKey key{stream.scope,
                    {hash_of({line.sender, line.sender_host}),
                     hash_of({line.inode.empty() ? line.path : line.device, line.inode, line.fingerprint})}};
  stream.key = key;
  stream.process = line.process.empty() ? 0 : static_cast<std::uint32_t>(seen_hash(line.process)) | 1;
  if (stream.maybe != nullptr && stream.maybe_key == key && !stream.maybe->gone) {
    stream.file = stream.maybe;
    return stream.file.get();
  }
  const auto found = files_.find(key);
  if (found != files_.end() && !found->second->gone) {
    stream.file = found->second;
    stream.file->certain = certain;
    return stream.file.get();
  }
  stream.file = nullptr;
  // Until the next tick has made room.
  if (files_.size() > 2 * kFilesMax || ranges_ > 2 * kRangesMax) return nullptr;
  stream.file = std::make_shared<SeenFile>();
  stream.file->key = key;
  stream.file->certain = certain;
  files_.insert_or_assign(key, stream.file);
  latest_.push_back(stream.file);
  if (latest_.size() > kLatestMax) latest_.pop_front();
  return stream.file.get();
}

SeenFileRange* BeatsSeen::elsewhere(SeenStream& stream, const SeenFile& file, const BeatLine& line,
                                    SeenMessage& message) {
  for (auto at = latest_.rbegin(); at != latest_.rend(); ++at) {
    const auto other = at->lock();
    if (other == nullptr || other.get() == &file || other->gone || other->key.scope != stream.scope ||
        other->key.file[0] != stream.key.file[0])
      continue;
    const SeenCursor none;
    bool exact = false;
    auto* const range = other->find(line, message, stream, none, exact);
    if (range == nullptr || exact || range->process == 0) continue;
    // For the lines that follow; taken for it when enough of them agree.
    stream.file = stream.maybe = other;
    stream.maybe_key = stream.key;
    return range;
  }
  return nullptr;
}

Seen BeatsSeen::look(SeenStream& stream, const BeatLine& line, std::uint64_t batch) {
  SeenFile* const file = file_of(stream, line);
  if (file == nullptr) return Seen::fresh;
  SeenFile::Cursor& cursor = file->cursor_of(stream);
  const bool begins = cursor.window != stream.window;
  cursor.window = stream.window;
  SeenMessage message(line.message);
  const bool goes_on = cursor.in_run && cursor.goes_on(line, message);
  const std::uint64_t before = std::exchange(cursor.before, line.offset);
  const std::uint64_t end = std::exchange(cursor.end, line.offset + line.message.size());
  if (goes_on) {
    if (begins) remember_start(stream, *file, cursor, line);
    return taken(stream, cursor, covered(*file, cursor));
  }
  // A file that begins anew while it is not told yet what the last one was.
  if (cursor.weak && line.offset <= before) return refuted(stream, cursor);
  const bool may = begins || !cursor.fresh || cursor.was_run || line.offset <= before;
  bool exact = false;
  if (may && line.offset <= file->top)
    if (auto* const range = file->find(line, message, stream, cursor, exact)) {
      if (cursor.weak && range->content != cursor.run_content) return refuted(stream, cursor);
      return taken(stream, cursor, begin_run(stream, *file, cursor, *range, exact));
    }
  if (line.inode.empty() && !cursor.fresh && file->ranges.empty() && stream.maybe == nullptr)
    if (auto* const range = elsewhere(stream, *file, line, message)) {
      SeenCursor& there = stream.file->cursor_of(stream);
      there.window = stream.window;
      there.before = line.offset;
      there.end = line.offset + line.message.size();
      there.other_name = true;
      return begin_run(stream, *stream.file, there, *range, false);
    }
  // The first line over this connection may follow the last one that was acknowledged of a window with other bounds.
  if (file->certain && !cursor.fresh && !cursor.was_run && line.offset > 0)
    if (auto* const range = file->around(line.offset, message)) {
      (void)begin_run(stream, *file, cursor, *range, true);
      cursor.at_end = line.offset == cursor.run.last;
      remember_start(stream, *file, cursor, line);
      return Seen::again;
    }
  if (cursor.weak) return refuted(stream, cursor);
  cursor.end = end;
  admit(stream, *file, line, batch);
  return Seen::fresh;
}

/// Whoever is asked again begins where a window of his began.
void BeatsSeen::remember_start(SeenStream& stream, SeenFile& file, const SeenCursor& cursor, const BeatLine& line) {
  SeenMessage message(line.message);
  SeenFile::Range start;
  static_cast<SeenRange&>(start) = {line.offset, cursor.run.last, message.first(), seen_time_hash(line.time),
                                    line.offset == cursor.run.last ? message.last() : cursor.run.last_hash};
  start.batch = cursor.run_batch;
  start.process = stream.process;
  start.content = cursor.run_content;
  append(file, start, stream);
}

Seen BeatsSeen::begin_run(SeenStream& stream, const SeenFile& file, SeenCursor& cursor, SeenFileRange& range,
                          bool exact) {
  cursor.in_run = cursor.was_run = true;
  cursor.at_end = range.first == range.last;
  cursor.run = range;
  cursor.run_batch = range.batch;
  cursor.run_content = range.content;
  range.stream = stream.id;
  range.given_ns = world_.clock.boot_ns();
  stream.needs = std::max(stream.needs, range.batch);
  // A file that begins anew begins at 0, perhaps with the same lines; nothing else is the same at the same offset.
  if (exact && !cursor.weak) return Seen::again;
  if (!exact && !cursor.weak && (range.first == 0 || cursor.other_name)) {
    cursor.weak = true;
    cursor.weak_lines = 0;
  }
  if (exact) cursor.weak_lines = kSecondEnd;
  return covered(file, cursor);
}

/// A file that is told by its lines is known by its new name too.
Seen BeatsSeen::taken(SeenStream& stream, SeenCursor& cursor, Seen seen) {
  if (cursor.other_name && !cursor.weak) {
    auto& known = files_[stream.key];
    if (known != nullptr) known->gone = true;
    known = stream.file;
    stream.file->names.push_back(stream.key);
    cursor.other_name = false;
    stream.maybe = nullptr;
  }
  return seen;
}

Seen BeatsSeen::refuted(SeenStream& stream, SeenCursor& cursor) {
  if (!cursor.other_name) return Seen::refuted;
  // What comes is of the file that has the name.
  stream.other = stream.file;
  stream.file = stream.maybe = nullptr;
  cursor.in_run = cursor.weak = cursor.was_run = cursor.other_name = false;
  return Seen::refuted;
}

Seen BeatsSeen::covered(const SeenFile& file, SeenCursor& cursor) {
  if (!cursor.weak) return Seen::again;
  ++cursor.weak_lines;
  const bool all =
      file.certain && !cursor.other_name && cursor.at_end && file.ends_at(cursor.run_content, cursor.run.last);
  if (cursor.weak_lines <= kSecondEnd && !all) return Seen::held;
  cursor.weak = false;
  return Seen::proven;
}

bool BeatsSeen::believes(const SeenStream& stream, SeenFile& file) {
  if (!file.certain || file.cursor_of(stream).other_name) return false;
  file.cursor_of(stream).weak = false;
  return true;
}

void BeatsSeen::add(SeenStream& stream, const BeatLine& line, std::uint64_t batch, bool unsure) {
  // What is held was read by itself: the line before this one in its connection is another one.
  const auto file_before = stream.file;
  const auto process_before = stream.process;
  stream.maybe = nullptr;
  BeatLine alone = line;
  alone.same_origin = false;
  if (SeenFile* const file = file_of(stream, alone)) {
    const SeenCursor before = file->cursor_of(stream);
    admit(stream, *file, line, batch);
    if (unsure) {
      // More of the run may come, and prove it.
      SeenCursor& cursor = file->cursor_of(stream);
      SeenCursor kept = before;
      kept.open = cursor.open;
      kept.open_window = cursor.open_window;
      kept.lines = cursor.lines;
      kept.last_message = cursor.last_message;
      cursor = kept;
    }
  }
  stream.file = file_before;
  stream.process = process_before;
}

void BeatsSeen::admit(SeenStream& stream, SeenFile& file, const BeatLine& line, std::uint64_t batch) {
  SeenFile::Cursor& cursor = file.cursor_of(stream);
  cursor.window = stream.window;
  cursor.before = line.offset;
  const std::uint64_t end = std::exchange(cursor.end, line.offset + line.message.size());
  cursor.in_run = cursor.was_run = cursor.weak = false;
  if (!cursor.fresh) {
    cursor.lines = kSecondEnd + 1;
    cursor.doubt_end = file.content_top;
  }
  cursor.fresh = true;
  if (line.offset == 0) {
    cursor.doubt_end = file.known_to(line, stream.process);
    ++file.content;
    file.content_top = 0;
    cursor.lines = 0;
  }
  if (line.offset > cursor.doubt_end) cursor.doubt_end = 0;
  if (cursor.doubt_end > 0) log_.count("events_unsure", 1);
  ++cursor.lines;
  SeenFile::Range* const open = file.by_number(cursor.open);
  const bool ends = cursor.lines == kFirstEnd + 1 || cursor.lines == kSecondEnd + 1;
  if (open != nullptr && !ends && cursor.open_window == stream.window && line.offset > open->last &&
      open->process == stream.process && line.offset <= end + kSeenGapMax) {
    open->last = line.offset;
    open->batch = batch;
    file.top = std::max(file.top, line.offset);
    if (open->content == file.content) file.content_top = std::max(file.content_top, line.offset);
    cursor.last_message = line.message;
    changed(file, open->chunk);
    return;
  }
  file.seal(cursor);
  SeenMessage message(line.message);
  SeenFile::Range range;
  static_cast<SeenRange&>(range) = {line.offset, line.offset, message.first(), seen_time_hash(line.time),
                                    message.last()};
  range.batch = batch;
  range.process = stream.process;
  range.content = file.content;
  cursor.open = append(file, range, stream);
  cursor.open_window = stream.window;
}

std::uint64_t BeatsSeen::append(SeenFile& file, SeenFileRange range, const SeenStream& stream) {
  if (file.ranges.size() >= kFileRangesMax) forget_front(file, SeenChunk::kRangesMax);
  range.stream = stream.id;
  range.given_ns = world_.clock.boot_ns();
  const auto& made = file.append(range);
  ++ranges_;
  aging_.push_back({made.given_ns, files_.at(file.key), made.number});
  // Only of windows of a line or two there can be so many; what is not looked at settles with a later one.
  if (aging_.size() > 2 * kRangesMax) aging_.pop_front();
  changed(file, made.chunk);
  return made.number;
}

}  // namespace enclave::pipeline
