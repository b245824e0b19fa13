#include "pipeline/beats_seen_file.h"

#include <algorithm>

#include "pipeline/murmur3.h"

namespace enclave::pipeline {
namespace {
constexpr std::size_t kCursorsMax = 8;
}

std::uint64_t seen_hash(std::string_view text) { return murmur3_128(text)[0]; }
std::uint32_t seen_time_hash(std::string_view text) { return static_cast<std::uint32_t>(seen_hash(text)); }

bool SeenCursor::goes_on(const BeatLine& line, SeenMessage& message) {
  if (line.offset <= before || line.offset > end + kSeenGapMax) {
    // Two files of one name at once, or a window that comes once more.
    in_run = false;
    return false;
  }
  if (line.offset > run.first && line.offset < run.last) return true;
  if (line.offset == run.last && line.offset != run.first && message.last() == run.last_hash) return at_end = true;
  in_run = false;
  // Whoever passes over the end without meeting it has other lines.
  was_run = line.offset <= run.first || (line.offset > run.last && at_end);
  return false;
}

SeenCursor& SeenFile::cursor_of(const SeenStream& stream) {
  const auto found = std::ranges::find(cursors, stream.id, &Cursor::stream);
  if (found != cursors.end()) return *found;
  if (cursors.size() >= kCursorsMax) {
    seal(cursors.front());
    cursors.erase(cursors.begin());
  }
  Cursor& made = cursors.emplace_back();
  made.stream = stream.id;
  return made;
}

SeenFileRange* SeenFile::find(const BeatLine& line, SeenMessage& message, const SeenStream& stream,
                              const Cursor& cursor, bool& exact) {
  // A process that was started anew comes over a connection of its own: there the time may differ.
  // Another file of the same name may hold the same lines, unless the sender tells files apart.
  const bool restarted = certain || !cursor.fresh || cursor.was_run;
  Range *candidate = nullptr, *found = nullptr;
  for (Range& range : ranges) {
    // Nobody sends a line twice over one connection.
    if (range.first != line.offset || range.stream == stream.id || range.first_hash != message.first()) continue;
    const bool same_process = range.process == stream.process;
    if (same_process && range.time_hash == seen_time_hash(line.time)) {
      if (found == nullptr) found = &range;
      continue;
    }
    if (restarted && (stream.process == 0 || !same_process)) candidate = &range;
  }
  exact = found != nullptr;
  return exact ? found : candidate;
}

SeenFileRange* SeenFile::around(std::uint64_t offset, SeenMessage& message) {
  const auto found = std::ranges::find_if(ranges, [&](const Range& range) {
    return range.content == content && range.first < offset &&
           (offset < range.last || (offset == range.last && message.last() == range.last_hash));
  });
  return found == ranges.end() ? nullptr : &*found;
}

SeenFileRange* SeenFile::by_number(std::uint64_t number) {
  const auto found = std::ranges::lower_bound(ranges, number, {}, &Range::number);
  return found != ranges.end() && found->number == number ? &*found : nullptr;
}

SeenFileRange& SeenFile::append(Range range) {
  const bool fits = !ranges.empty() && ranges.back().chunk + 1 == next_chunk && chunk_ranges < SeenChunk::kRangesMax &&
                    ranges.back().process == range.process && ranges.back().content == range.content;
  if (!fits) {
    ++next_chunk;
    chunk_ranges = 0;
  }
  ++chunk_ranges;
  range.chunk = next_chunk - 1;
  range.number = next_number++;
  top = std::max(top, range.last);
  if (range.content == content) content_top = std::max(content_top, range.last);
  return ranges.emplace_back(range);
}

bool SeenFile::ends_at(std::uint32_t of_content, std::uint64_t last) const {
  return std::ranges::none_of(ranges,
                              [&](const Range& range) { return range.content == of_content && range.first > last; });
}

SeenChunk SeenFile::chunk(std::uint32_t number) const {
  SeenChunk out;
  out.seconds = seconds;
  for (auto at = std::ranges::lower_bound(ranges, number, {}, &Range::chunk); at != ranges.end() && at->chunk == number;
       ++at) {
    out.process = at->process;
    out.content = at->content;
    out.ranges.push_back(*at);
  }
  return out;
}

void SeenFile::seal(Cursor& cursor) {
  if (cursor.last_message.data() == nullptr) return;
  if (Range* const open = by_number(cursor.open)) open->last_hash = SeenMessage(cursor.last_message).last();
  cursor.last_message = {};
}

std::uint64_t SeenFile::known_to(const BeatLine& line, std::uint32_t process) const {
  SeenMessage message(line.message);
  const auto known = std::ranges::find_if(ranges, [&](const Range& range) {
    return range.first == 0 && range.first_hash == message.first() && (process == 0 || range.process != process);
  });
  if (known == ranges.end()) return 0;
  std::uint64_t end = 0;
  for (const Range& range : ranges)
    if (range.content >= known->content) end = std::max(end, range.last);
  return end;
}

bool SeenFile::is_weak() const { return std::ranges::any_of(cursors, &Cursor::weak); }

}  // namespace enclave::pipeline
