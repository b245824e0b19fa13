#include "pipeline/flow/dead_letters.h"

#include <simdjson.h>

#include <mutex>

#include "base/files.h"
#include "event/record.h"
#include "event/value.h"

namespace enclave::pipeline {
namespace {

constexpr std::string_view kSubject = "dead letters";

/// On one line: outputs such as udp refuse what is no JSON.
bool is_json(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  return text.find('\n') == std::string_view::npos &&
         parser.parse(text.data(), text.size()).get(root) == simdjson::SUCCESS;
}

class FileOfLetters final : public LetterBox {
 public:
  FileOfLetters(World world, std::string path, InputLog& log, ByteCount bytes_max)
      : world_(world), path_(std::move(path)), log_(log), bytes_max_(bytes_max) {}

  Result<void> add(std::string_view plugin, std::string_view reason, std::string_view event) override {
    const std::lock_guard lock(mutex_);
    TRY(open_file());
    std::string line = "{\"time\":\"";
    event::append_time_ms(world_.clock.wall_ns(), line);
    line += fmt::format("\",\"plugin\":{},\"reason\":{},\"event\":{}}}\n", event::json_text(plugin),
                        event::json_text(reason), is_json(event) ? std::string(event) : event::json_text(event));
    if (counts_.bytes + line.size() > bytes_max_) {
      ++counts_.lost;
      log_.count("dead_letters_lost", 1);
      log_.trouble(kSubject, fmt::format("{} is full ({}): what is refused now is lost; see enclave deadletters", path_,
                                         format_bytes(counts_.bytes)));
      return {};
    }
    TRY(file_->write_at(counts_.bytes, line));
    TRY(file_->sync());
    counts_.bytes += line.size();
    ++counts_.kept;
    log_.count("dead_letters", 1);
    log_.resolved(kSubject);
    return {};
  }

  Counts counts() const override {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

 private:
  /// Whoever takes letters out of the file moves it away: then a new one is begun.
  Result<void> open_file() {
    if (file_) {
      const auto there = world_.files.info(path_);
      if (there && there->id == id_) return {};
      if (!there && there.error().fault() != Fault::absent) return there.error();
    }
    file_ = TRY(world_.files.create(path_, Create::keep));
    const FileInfo info = TRY(file_->info());
    id_ = info.id;
    counts_.bytes = info.bytes;
    return world_.files.sync_directory(parent_of(path_));
  }

  World world_;
  const std::string path_;
  InputLog& log_;
  const ByteCount bytes_max_;
  mutable std::mutex mutex_;
  std::unique_ptr<File> file_;
  FileId id_;
  Counts counts_;
};

}  // namespace

Result<std::unique_ptr<LetterBox>> open_dead_letters(World world, const std::string& path, InputLog& log,
                                                     ByteCount bytes_max) {
  return std::unique_ptr<LetterBox>(std::make_unique<FileOfLetters>(world, path, log, bytes_max));
}

}  // namespace enclave::pipeline
