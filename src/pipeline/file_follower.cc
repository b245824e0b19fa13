#include "pipeline/file_follower.h"

#include <algorithm>

#include "base/files.h"

namespace enclave::pipeline {
namespace {

constexpr std::uint64_t kShareMin = 64 * 1024;
// What a visit costs besides its bytes: ten thousand quiet files must not make one poll long.
constexpr std::uint64_t kVisitCost = 1024;
constexpr std::int64_t kStuckNs = 60'000'000'000;
constexpr std::size_t kKeepSlack = 64 * 1024;

}  // namespace

FileFollower::FileFollower(FollowOptions options, World world, const Positions& positions, InputLog& log)
    : options_(std::move(options)),
      little_(LineCut::utf16(true, options_.end_only)),
      big_(LineCut::utf16(false, options_.end_only)),
      world_(world),
      log_(log),
      troubles_(log),
      scanner_(world.files, options_.paths, options_.exclude, troubles_),
      watcher_(world.files.watcher()),
      tails_(world.files, std::max<std::size_t>(1, options_.open_files_max)) {
  restore(positions);
}

FileFollower::~FileFollower() = default;

Result<Input::Polled> FileFollower::poll(event::Batch& batch, std::size_t budget) {
  begin(batch);
  take_changes();
  if (now_ns_ >= next_scan_ns_) {
    scan();
  } else {
    check_unwatched();
  }
  read_queue(budget);
  end();
  return queue_.empty() && packed_queue_.empty() ? Polled::idle : Polled::more;
}

Result<Input::Polled> FileFollower::finish(event::Batch& batch, std::size_t budget) {
  begin(batch);
  const auto& all = tails_.all();
  for (; finished_ < all.size() && budget > 0; ++finished_) {
    Tail& tail = *all[finished_];
    // A file with more to read is not at its last line: the next start goes on with it.
    if (tail.queued || tail.is_orphan() || tail.state.packed || tail.cursor.scanned == tail.cursor.offset) continue;
    tail.at_end = false;
    budget -= std::min<std::uint64_t>(budget, visit(tail, budget) + kVisitCost);
    if (tail.at_end) {
      read_rest(tail);
    } else if (!tail.queued) {
      break;
    }
  }
  const bool more = finished_ < all.size();
  end();
  return more ? Polled::more : Polled::end;
}

std::vector<int> FileFollower::descriptors() const {
  if (!watcher_ || watcher_->descriptor() < 0) return {};
  return {watcher_->descriptor()};
}

std::int64_t FileFollower::next_poll_boot_ns() const {
  if (!queue_.empty() || !packed_queue_.empty()) return now_ns_;
  return any_unwatched_ ? std::min(next_scan_ns_, next_check_ns_) : next_scan_ns_;
}

void FileFollower::begin(event::Batch& batch) {
  batch_ = &batch;
  sources_before_ = batch.sources.size();
  ++polls_;
  now_ns_ = world_.clock.boot_ns();
}

void FileFollower::end() {
  for (Tail* tail : dirty_) {
    tail->dirty = false;
    event::SourceRange& range = range_of(*tail, tail->cursor.offset);
    range.lost += std::exchange(tail->lost, 0);
    record(*tail, tail->cursor.offset, {});
    if (tail->forgotten) range.state.clear();
  }
  dirty_.clear();
  if (std::exchange(any_forgotten_, false)) tails_.sweep();
  batch_ = nullptr;
  const auto open = static_cast<std::int64_t>(tails_.open_count());
  if (open != open_told_) log_.count("files_open", open - open_told_);
  open_told_ = open;
}

void FileFollower::mark(Tail& tail) {
  if (!std::exchange(tail.dirty, true)) dirty_.push_back(&tail);
}

void FileFollower::enqueue(Tail& tail) {
  if (std::exchange(tail.queued, true)) return;
  tail.at_end = false;
  (tail.state.packed ? packed_queue_ : queue_).push_back(&tail);
}

void FileFollower::dequeue(Tail& tail) {
  if (!std::exchange(tail.queued, false)) return;
  std::erase(queue_, &tail);
  std::erase(packed_queue_, &tail);
}

// Every file with something to read gets its share in turn; packed ones, which do not grow, share one turn.
void FileFollower::read_queue(std::size_t budget) {
  while (budget > 0 && !(queue_.empty() && packed_queue_.empty())) {
    packed_turn_ = !packed_turn_;
    const bool packed = queue_.empty() || (packed_turn_ && !packed_queue_.empty());
    auto& queue = packed ? packed_queue_ : queue_;
    Tail& tail = *queue.front();
    queue.pop_front();
    tail.queued = false;
    const std::size_t turns = queue_.size() + 1 + (packed_queue_.empty() ? 0 : 1);
    const std::uint64_t share = std::min<std::uint64_t>(budget, std::max<std::uint64_t>(budget / turns, kShareMin));
    const std::uint64_t used = visit(tail, share) + kVisitCost;
    budget -= std::min<std::uint64_t>(budget, used);
    if (tail.at_end || tail.queued || tail.is_orphan()) continue;
    tail.queued = true;
    if (packed) {
      queue.push_front(&tail);
    } else {
      queue.push_back(&tail);
    }
  }
}

// Bytes that were looked at. Afterwards the tail is at its end, or wants another visit.
std::uint64_t FileFollower::visit(Tail& tail, std::uint64_t share) {
  if (tail.perhaps_copy && !tail.state.packed) {
    if (const auto withdrawn = withdraw_copy(tail); withdrawn && *withdrawn) return 0;
  }
  if (auto opened = tails_.open(tail); !opened) return failed(tail, opened.error()), 0;
  tails_.touch(tail);
  return tail.state.packed ? visit_packed(tail, share) : visit_plain(tail, share);
}

std::uint64_t FileFollower::visit_plain(Tail& tail, std::uint64_t share) {
  const auto info = tail.file->info();
  if (!info) return failed(tail, info.error()), 0;
  const auto same = is_same_content(tail, *info);
  if (!same) return failed(tail, same.error()), 0;
  if (!*same) {
    begin_anew(tail);
    scan_soon();
    if (auto again = is_same_content(tail, *info); !again) return failed(tail, again.error()), 0;
  }
  troubles_.resolve(tail.state.path);
  tail.deleted = info->links == 0;
  tail.stored_bytes = tail.state.seen_bytes = info->bytes;
  tail.state.modified_ns = info->modified_ns;
  // An unfinished line was cut short: look for its end anew.
  if (info->bytes < tail.cursor.scanned) tail.cursor.scanned = tail.cursor.offset;
  PlainContent content(*tail.file);
  LinePass pass;
  const auto read = read_lines(tail, content, share, info->bytes, pass);
  tail.at_end = pass.at_end;
  // Truncated a moment ago: the next visit sees it.
  if (!read && read.error().fault() == Fault::conflict) {
    tail.at_end = false;
  } else if (!read) {
    failed(tail, read.error());
  }
  return pass.bytes;
}

Result<void> FileFollower::read_lines(Tail& tail, Content& content, std::uint64_t share, std::uint64_t end,
                                      LinePass& pass) {
  const std::uint64_t from = tail.cursor.offset;
  LineReader reader(content, options_.line_bytes_max, *batch_, range_index(tail), cut_of(tail, content));
  auto read = reader.read(tail.cursor, share, end, pass);
  if (pass.lines > 0) record(tail, from, pass);
  return read;
}

const LineCut& FileFollower::cut_of(Tail& tail, Content& content) const {
  if (!options_.by_mark) return options_.cut;
  char mark[2] = {};
  if (tail.cut == nullptr) {
    const auto got = content.read_at(0, mark);
    content.release(tail.cursor.offset);
    if (!got || *got < sizeof mark) return options_.cut;
    const std::string_view front(mark, sizeof mark);
    tail.cut = front == "\xFE\xFF" ? &big_ : front == "\xFF\xFE" ? &little_ : &options_.cut;
  }
  return *tail.cut;
}

void FileFollower::read_rest(Tail& tail) {
  if (!tail.file || tail.cursor.scanned == tail.cursor.offset) return;
  PlainContent plain(*tail.file);
  Content& content = tail.unpacker ? static_cast<Content&>(*tail.unpacker) : plain;
  const std::uint64_t from = tail.cursor.offset;
  LinePass pass;
  LineReader reader(content, options_.line_bytes_max, *batch_, range_index(tail), cut_of(tail, content));
  if (auto read = reader.read_rest(tail.cursor, pass); !read) failed(tail, read.error());
  if (pass.lines > 0) record(tail, from, pass);
}

Result<void> FileFollower::open_packed(Tail& tail, const FileInfo& info) {
  if (tail.unpacker) return {};
  tail.unpacker = std::make_unique<GzipContent>(*tail.file, options_.line_bytes_max + kKeepSlack);
  tail.cursor.scanned = tail.cursor.offset;
  tail.stored_bytes = info.bytes;
  tail.state.modified_ns = info.modified_ns;
  std::string front(kFingerprintBytes, '\0');
  front.resize(TRY(tail.unpacker->read_at(0, front)));
  if (!fits(tail.state.print, front)) {
    auto unpacker = std::move(tail.unpacker);
    begin_anew(tail);
    tail.unpacker = std::move(unpacker);
    tail.stored_bytes = info.bytes;
  }
  if (front.size() > tail.state.print.bytes) tail.state.print = fingerprint_of(front);
  return {};
}

std::uint64_t FileFollower::visit_packed(Tail& tail, std::uint64_t share) {
  const auto info = tail.file->info();
  if (!info) return failed(tail, info.error()), 0;
  if (auto opened = open_packed(tail, *info); !opened) {
    if (opened.error().fault() != Fault::corrupt) return failed(tail, opened.error()), 0;
    return packed_ended(tail, true), 0;
  }
  troubles_.resolve(tail.state.path);
  GzipContent& content = *tail.unpacker;
  content.release(tail.cursor.offset);
  auto there = content.advance(tail.cursor.offset, share);
  LinePass pass;
  if (there && *there) {
    if (auto read = read_lines(tail, content, share, 0, pass); !read) there = std::move(read).error();
  } else if (there) {
    return share;
  }
  tail.state.seen_bytes = std::max(tail.state.seen_bytes, content.position());
  if (!there) {
    if (there.error().fault() != Fault::corrupt) return failed(tail, there.error()), pass.bytes;
    packed_ended(tail, true);
  } else if (pass.at_end && content.whole()) {
    packed_ended(tail, false);
  } else if (pass.at_end) {
    packed_stopped(tail, *info);
  }
  return pass.bytes;
}

// The file ends inside the packed data: somebody may still be writing it.
void FileFollower::packed_stopped(Tail& tail, const FileInfo& info) {
  tail.at_end = true;
  if (tail.stuck_since_ns == 0 || info.bytes != tail.stored_bytes)
    tail.stuck_since_ns = std::max<std::int64_t>(now_ns_, 1);
  tail.stored_bytes = info.bytes;
  tail.state.modified_ns = info.modified_ns;
  if (now_ns_ - tail.stuck_since_ns >= kStuckNs) packed_ended(tail, true);
}

void FileFollower::packed_ended(Tail& tail, bool damaged) {
  read_rest(tail);
  tail.at_end = true;
  tail.stuck_since_ns = 0;
  tail.state.whole = true;
  if (damaged) {
    const std::uint64_t read = tail.unpacker->packed_position();
    const std::uint64_t lost = std::max<std::uint64_t>(tail.stored_bytes > read ? tail.stored_bytes - read : 0, 1);
    tail.lost += lost;
    log_.count("bytes_lost", static_cast<std::int64_t>(lost));
    troubles_.tell(tail.state.path, fmt::format("{}: the gzip data is damaged or cut off; what stands before byte {} "
                                                "was read, the rest cannot be",
                                                tail.state.path, read));
  }
  tails_.close(tail);
  mark(tail);
}

std::uint32_t FileFollower::range_index(const Tail& tail) const {
  if (tail.poll == polls_) return tail.range;
  for (std::size_t i = 0; i < sources_before_; ++i)
    if (batch_->sources[i].source == tail.source) return static_cast<std::uint32_t>(i);
  return static_cast<std::uint32_t>(batch_->sources.size());
}

event::SourceRange& FileFollower::range_of(Tail& tail, std::uint64_t from) {
  if (tail.poll != polls_) {
    tail.range = range_index(tail);
    tail.poll = polls_;
    const std::string position = std::to_string(from);
    if (tail.range == batch_->sources.size()) batch_->sources.push_back({tail.source, position, position, 0, 0, {}});
  }
  return batch_->sources[tail.range];
}

void FileFollower::record(Tail& tail, std::uint64_t from, const LinePass& pass) {
  event::SourceRange& range = range_of(tail, from);
  tail.state.offset = tail.cursor.offset;
  tail.state.crc = tail.cursor.sum;
  tail.state.summed = tail.cursor.summed;
  range.to = std::to_string(tail.cursor.offset);
  range.count += pass.lines;
  range.state = format_state(tail.state);
  if (pass.cut > 0) log_.count("lines_cut", static_cast<std::int64_t>(pass.cut));
}

// What went wrong is tried again at the next scan.
void FileFollower::failed(Tail& tail, const Error& error) {
  tail.at_end = true;
  tail.stored_bytes = Tail::kUnknown;
  if (error.fault() == Fault::absent || error.fault() == Fault::conflict) return scan_soon();
  troubles_.tell(tail.state.path, fmt::format("cannot read {}", error.text()));
}

}  // namespace enclave::pipeline
