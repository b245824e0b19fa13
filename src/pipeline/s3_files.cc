#include "pipeline/s3_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/files.h"

namespace enclave::pipeline {

S3Uploads::S3Uploads(S3UploadOptions options, std::shared_ptr<cloud::S3Client> client, const OutputSetup& setup)
    : options_(std::move(options)), client_(std::move(client)), setup_(setup) {
  for (unsigned i = 0; i < std::max(1U, options_.workers); ++i) workers_.emplace_back([this] { work(); });
}

S3Uploads::~S3Uploads() {
  {
    std::unique_lock lock(mutex_);
    ending_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, options_.at_end_within, [this] { return queue_.empty() && at_work_ == 0; });
    ended_ = true;
    changed_.notify_all();
  }
  for (auto& worker : workers_) worker.join();
}

Result<void> S3Uploads::add(std::string path, std::string key) {
  std::unique_lock lock(mutex_);
  queue_.push_back({.path = std::move(path), .key = std::move(key)});
  changed_.notify_all();
  while (queue_.size() > options_.queue_max) {
    if (setup_.stopping) return Error{Fault::busy, "{}: the program stops", setup_.id};
    changed_.wait_for(lock, std::chrono::milliseconds(100));
  }
  return {};
}

Result<void> S3Uploads::put(const std::string& path, const std::string& key) const {
  const std::string bytes = TRY(read_file(setup_.world.files, path, S3UploadOptions::kFileBytesMax));
  cloud::S3Request request{.method = "PUT", .key = key};
  request.headers = options_.headers;
  request.body = bytes;
  TRY(client_->send(request));
  return {};
}

bool S3Uploads::take(File& file) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (ended_ || (ending_ && queue_.empty())) return false;
    const std::int64_t now = setup_.world.clock.boot_ns();
    // At the end everything gets its chance at once.
    const auto ready =
        std::ranges::find_if(queue_, [&](const File& one) { return ending_ || one.not_before_boot_ns <= now; });
    if (ready != queue_.end()) {
      file = std::move(*ready);
      queue_.erase(ready);
      ++at_work_;
      return true;
    }
    changed_.wait_for(lock, std::chrono::milliseconds(200));
  }
}

void S3Uploads::work() {
  File file;
  while (take(file)) upload(std::move(file));
}

void S3Uploads::upload(File file) {
  const auto done = put(file.path, file.key);
  if (done) {
    setup_.log.resolved(setup_.id);
    setup_.log.count("files_uploaded", 1);
    if (const auto removed = remove_if_there(setup_.world.files, file.path); !removed)
      setup_.log.trouble(file.path, removed.error().text());
  } else if (done.error().fault() == Fault::absent && !setup_.world.files.info(file.path)) {
    setup_.log.trouble(file.path, fmt::format("{}: somebody removed it before it was uploaded", file.path));
  } else {
    setup_.log.trouble(setup_.id, fmt::format("uploading {}: {}", file.key, done.error().text()));
    file.not_before_boot_ns = setup_.world.clock.boot_ns() + file.pause.count();
    file.pause = std::min(file.pause * 2, options_.retry_most);
  }
  const std::lock_guard lock(mutex_);
  --at_work_;
  // At the end it stays for the next start.
  if (!done && !ending_ && file.not_before_boot_ns > 0) queue_.push_back(std::move(file));
  changed_.notify_all();
}

}  // namespace enclave::pipeline
