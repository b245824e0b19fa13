#include "pipeline/flow/dead_letters.h"

#include <algorithm>
#include <array>
#include <mutex>

#include "base/files.h"

namespace enclave::pipeline {
namespace {

constexpr std::string_view kSubject = "dead letters";

class FileOfLetters final : public LetterBox {
 public:
  FileOfLetters(World world, std::string directory, InputLog& log, ByteCount bytes_max)
      : world_(world),
        directory_(std::move(directory)),
        path_(join_path(directory_, kDeadLettersName)),
        log_(log),
        bytes_max_(bytes_max) {}

  Result<bool> keep(const Letter& letter) override {
    const std::string line = format_letter(letter);
    const std::lock_guard lock(mutex_);
    const auto held = TRY(lock_letters(directory_));
    TRY(open_file());
    if (bytes_ + line.size() > bytes_max_ || line.size() > kLetterBytesMax) {
      log_.trouble(kSubject,
                   fmt::format("{} is full ({} of {}): what is refused now is lost; replay or remove letters with "
                               "enclave deadletters",
                               path_, format_bytes(bytes_), format_bytes(bytes_max_)));
      return false;
    }
    auto done = file_->write_at(bytes_, line);
    if (done) done = file_->sync();
    if (!done) {
      // What came of it is looked at when the file is opened again.
      file_.reset();
      return std::move(done).error().within("dead letters");
    }
    bytes_ += line.size();
    log_.resolved(kSubject);
    return true;
  }

  std::uint64_t bytes() const override {
    const auto there = world_.files.info(path_);
    return there ? there->bytes : 0;
  }

 private:
  /// Whoever takes letters out of the file puts another one in its place.
  Result<void> open_file() {
    if (file_) {
      const auto there = world_.files.info(path_);
      if (there && there->id == id_) return {};
      if (!there && there.error().fault() != Fault::absent) return there.error();
    }
    file_ = TRY(world_.files.create(path_, Create::keep));
    const FileInfo info = TRY(file_->info());
    id_ = info.id;
    bytes_ = TRY(whole_bytes(info.bytes));
    if (bytes_ != info.bytes) TRY(file_->truncate(bytes_));
    return world_.files.sync_directory(directory_);
  }

  /// Behind the last line end stands what a power cut left of a letter, whose output heard of no success.
  Result<std::uint64_t> whole_bytes(std::uint64_t bytes) {
    std::array<char, 65'536> part;
    while (bytes > 0) {
      const std::uint64_t begin = bytes - std::min<std::uint64_t>(bytes, part.size());
      const std::size_t read = TRY(file_->read_at(begin, std::span(part).first(bytes - begin)));
      const std::size_t end = std::string_view(part.data(), read).rfind('\n');
      if (end != std::string_view::npos) return begin + end + 1;
      bytes = begin;
    }
    return 0;
  }

  World world_;
  const std::string directory_, path_;
  InputLog& log_;
  const ByteCount bytes_max_;
  std::mutex mutex_;
  std::unique_ptr<File> file_;
  FileId id_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<LetterBox>> open_dead_letters(World world, const std::string& directory, InputLog& log,
                                                     ByteCount bytes_max) {
  return std::unique_ptr<LetterBox>(std::make_unique<FileOfLetters>(world, directory, log, bytes_max));
}

Result<io::Lock> lock_letters(const std::string& directory) {
  constexpr int kAttempts = 6'000;
  auto waiter = TRY(io::Waiter::make());
  for (int attempt = 0;; ++attempt) {
    auto lock = io::lock_file(join_path(directory, kLetterLockName));
    if (lock || lock.error().fault() != Fault::conflict || attempt == kAttempts) return lock;
    (void)waiter.wait({}, std::chrono::milliseconds(10));
  }
}

Result<void> OutputLetters::add(std::string_view plugin, const Refused& refused) {
  Letter letter;
  letter.wall_ns = clock_.wall_ns();
  letter.plugin = plugin;
  letter.output = output_;
  letter.reason = refused.reason;
  letter.to = refused.to;
  letter.event = refused.event;
  letter.events = refused.events;
  const bool kept = TRY(box_.keep(letter));
  (kept ? kept_ : lost_) += refused.events;
  log_.count(kept ? "dead_letters" : "dead_letters_lost", refused.events);
  return {};
}

}  // namespace enclave::pipeline
