#include "pipeline/flow/letter_taking.h"

#include <array>

#include "base/encoding.h"
#include "base/files.h"
#include "pipeline/flow/dead_letters.h"
#include "pipeline/flow/letter_lines.h"

namespace enclave::pipeline {
namespace {

constexpr std::string_view kTakenSuffix = ".taken", kReplaySuffix = ".ndjson", kRestName = "dead-letters.rest";

/// Appends to a file that nobody sees yet.
class Writer {
 public:
  static Result<Writer> make(Files& files, const std::string& path) {
    return Writer(TRY(files.create(path, Create::truncate)));
  }
  Result<void> add(std::string_view bytes) {
    buffer_ += bytes;
    return buffer_.size() < kBufferBytes ? Result<void>() : flush();
  }
  Result<void> sync() {
    TRY(flush());
    return file_->sync();
  }

 private:
  static constexpr std::size_t kBufferBytes = 1 << 20;
  explicit Writer(std::unique_ptr<File> file) : file_(std::move(file)) {}
  Result<void> flush() {
    TRY(file_->write_at(offset_, buffer_));
    offset_ += buffer_.size();
    buffer_.clear();
    return {};
  }
  std::unique_ptr<File> file_;
  std::string buffer_;
  std::uint64_t offset_ = 0;
};

/// Names in the order of time.
std::string new_name(World& world) {
  std::array<std::uint8_t, 4> some{};
  world.random.fill(some);
  return fmt::format("{:020}-{}", world.clock.wall_ns(), to_hex(bytes_of(some)));
}

class Taker {
 public:
  Taker(World world, const std::string& directory, const Taking& taking)
      : world_(world),
        taking_(taking),
        directory_(directory),
        path_(join_path(directory, kDeadLettersName)),
        rest_path_(join_path(directory, kRestName)),
        replay_(join_path(directory, kReplayName)),
        name_(new_name(world)) {}

  /// The commit is the rename of what is left: the first line of it says which file of taken letters counts.
  Result<Taken> take() {
    Files& files = world_.files;
    TRY(make_directories(files, replay_));
    rest_.emplace(TRY(Writer::make(files, rest_path_)));
    taken_.emplace(TRY(Writer::make(files, taken_path())));
    if (taking_.replay) TRY(rest_->add(format_taken(name_)));
    auto lines = TRY(LetterLines::open(files, path_));
    lines.end_at(TRY(bytes_now()));
    TRY(sort(lines));
    {
      // What was written meanwhile is little.
      const auto lock = TRY(lock_letters(directory_));
      lines.end_at(UINT64_MAX);
      all_stay_ = true;
      TRY(sort(lines));
      TRY(taken_->sync());
      TRY(rest_->sync());
      TRY(files.sync_directory(replay_));
      TRY(files.rename(rest_path_, path_));
      TRY(files.sync_directory(directory_));
    }
    if (taking_.replay && told_.letters > 0) {
      TRY(files.rename(taken_path(), join_path(replay_, name_ + std::string(kReplaySuffix))));
    } else {
      TRY(files.remove(taken_path()));
    }
    TRY(files.sync_directory(replay_));
    return told_;
  }

 private:
  std::string taken_path() const { return join_path(replay_, name_ + std::string(kTakenSuffix)); }

  Result<std::uint64_t> bytes_now() {
    const auto lock = TRY(lock_letters(directory_));
    return TRY(world_.files.info(path_)).bytes;
  }

  Result<void> sort(LetterLines& lines) {
    for (;;) {
      const auto line = TRY(lines.next());
      if (!line) return {};
      if (!line->empty() && !parse_taken(*line)) TRY(put(*line));
    }
  }

  Result<void> put(std::string_view line) {
    auto letter = parse_letter(line);
    if (!letter) {
      ++told_.unreadable;
      return taking_.unreadable && !all_stay_ ? Result<void>() : rest_->add(fmt::format("{}\n", line));
    }
    if (all_stay_ || !taking_.wanted(letter_id(line), *letter)) {
      ++told_.left;
      return rest_->add(fmt::format("{}\n", line));
    }
    ++told_.letters;
    told_.events += letter->events;
    if (!taking_.replay) return {};
    letter->anew = taking_.anew;
    return taken_->add(format_letter(*letter));
  }

  World world_;
  const Taking& taking_;
  const std::string directory_, path_, rest_path_, replay_, name_;
  std::optional<Writer> rest_, taken_;
  Taken told_;
  bool all_stay_ = false;
};

Result<std::string> last_taken(Files& files, const std::string& directory) {
  auto lines = LetterLines::open(files, join_path(directory, kDeadLettersName));
  if (!lines && lines.error().fault() == Fault::absent) return std::string();
  if (!lines) return lines.error();
  const auto first = TRY(lines->next());
  return first ? parse_taken(*first).value_or("") : std::string();
}

/// With the lock of takings held.
Result<void> end_what_was_begun(Files& files, const std::string& directory) {
  const std::string replay = join_path(directory, kReplayName);
  const auto listed = files.list(replay);
  if (!listed) return listed.error().fault() == Fault::absent ? Result<void>() : listed.error();
  for (const auto& entry : *listed) {
    if (!entry.name.ends_with(kTakenSuffix)) continue;
    const std::string name = entry.name.substr(0, entry.name.size() - kTakenSuffix.size());
    const std::string path = join_path(replay, entry.name);
    if (TRY(last_taken(files, directory)) == name) {
      TRY(files.rename(path, join_path(replay, name + std::string(kReplaySuffix))));
    } else {
      TRY(files.remove(path));
    }
    TRY(files.sync_directory(replay));
  }
  return {};
}

}  // namespace

Result<LettersRead> read_letters(Files& files, const std::string& directory,
                                 const std::function<Result<void>(std::string_view, const Letter&)>& each) {
  LettersRead read;
  auto lines = LetterLines::open(files, join_path(directory, kDeadLettersName));
  if (!lines && lines.error().fault() == Fault::absent) return read;
  if (!lines) return lines.error();
  for (;;) {
    const auto line = TRY(lines->next());
    if (!line) return read;
    if (line->empty() || parse_taken(*line)) continue;
    const auto letter = parse_letter(*line);
    ++(letter ? read.letters : read.unreadable);
    if (letter) TRY(each(letter_id(*line), *letter));
  }
}

Result<Taken> take_letters(World world, const std::string& directory, const Taking& taking) {
  const auto one = TRY(io::lock_file(join_path(directory, kTakingLockName)));
  TRY(end_what_was_begun(world.files, directory));
  const auto there = world.files.info(join_path(directory, kDeadLettersName));
  if (!there && there.error().fault() == Fault::absent) return Taken{};
  return Taker(world, directory, taking).take();
}

Result<void> finish_taking(Files& files, const std::string& directory) {
  // Most directories have nothing to finish.
  const auto listed = files.list(join_path(directory, kReplayName));
  if (!listed) return listed.error().fault() == Fault::absent ? Result<void>() : listed.error();
  for (const auto& entry : *listed) {
    if (!entry.name.ends_with(kTakenSuffix)) continue;
    const auto one = io::lock_file(join_path(directory, kTakingLockName));
    if (!one) return one.error().fault() == Fault::conflict ? Result<void>() : one.error();
    return end_what_was_begun(files, directory);
  }
  return {};
}

std::uint64_t replay_bytes(Files& files, const std::string& directory) {
  std::uint64_t bytes = 0;
  const std::string replay = join_path(directory, kReplayName);
  if (const auto listed = files.list(replay))
    for (const auto& entry : *listed)
      if (const auto info = files.info(join_path(replay, entry.name))) bytes += info->bytes;
  return bytes;
}

}  // namespace enclave::pipeline
