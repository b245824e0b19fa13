#include "pipeline/flow/dead_letters.h"

#include <mutex>

#include "base/files.h"
#include "event/record.h"
#include "event/value.h"

namespace enclave::pipeline {
namespace {

class FileOfLetters final : public DeadLetters {
 public:
  FileOfLetters(World world, std::string path, ByteCount bytes_max)
      : world_(world), path_(std::move(path)), bytes_max_(bytes_max) {}

  Result<void> add(std::string_view plugin, std::string_view reason, std::string_view event) override {
    const std::lock_guard lock(mutex_);
    if (!file_) {
      file_ = TRY(world_.files.create(path_, Create::keep));
      end_ = TRY(file_->info()).bytes;
      TRY(world_.files.sync_directory(parent_of(path_)));
    }
    std::string line = "{\"time\":\"";
    event::append_time_ms(world_.clock.wall_ns(), line);
    line += fmt::format("\",\"plugin\":{},\"reason\":{},\"event\":{}}}\n", event::json_text(plugin),
                        event::json_text(reason), event);
    if (end_ + line.size() > bytes_max_)
      return Error{Fault::limit, "{} holds {} already; move it away to keep more", path_, format_bytes(end_)};
    TRY(file_->write_at(end_, line));
    TRY(file_->sync());
    end_ += line.size();
    return {};
  }

 private:
  World world_;
  const std::string path_;
  const ByteCount bytes_max_;
  std::mutex mutex_;
  std::unique_ptr<File> file_;
  std::uint64_t end_ = 0;
};

}  // namespace

Result<std::unique_ptr<DeadLetters>> open_dead_letters(World world, const std::string& path, ByteCount bytes_max) {
  return std::unique_ptr<DeadLetters>(std::make_unique<FileOfLetters>(world, path, bytes_max));
}

}  // namespace enclave::pipeline
