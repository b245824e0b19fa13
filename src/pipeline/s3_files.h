#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cloud/s3_client.h"
#include "pipeline/output.h"

namespace enclave::pipeline {

/// How files reach a bucket.
struct S3UploadOptions {
  cloud::S3Options server;
  cloud::Pairs headers;  ///< of each object that is put
  unsigned workers = 2;
  std::size_t queue_max = 16;                              ///< files that wait; then add() waits too
  Nanoseconds retry_most = std::chrono::minutes(1);        ///< between attempts
  Nanoseconds at_end_within = std::chrono::seconds(10);    ///< what is not begun by then stays for the next start
  static constexpr std::uint64_t kFileBytesMax = 1 << 30;  ///< one request each
};

/// Uploads files in the background and removes them once they are in the bucket. Tries for ever; what is left at the
/// end stays on the disk.
class S3Uploads {
 public:
  S3Uploads(S3UploadOptions options, std::shared_ptr<cloud::S3Client> client, const OutputSetup& setup);
  /// Waits, at most `at_end_within`, for what is queued.
  ~S3Uploads();
  S3Uploads(const S3Uploads&) = delete;
  S3Uploads& operator=(const S3Uploads&) = delete;

  /// A file that nobody writes to any more. Waits while the queue is full; Fault::busy when the program stops: then it
  /// is queued nevertheless.
  Result<void> add(std::string path, std::string key);
  /// One request; the client's own repetitions included.
  Result<void> put(const std::string& path, const std::string& key) const;

 private:
  struct File {
    std::string path, key;
    Nanoseconds pause = std::chrono::milliseconds(500);
    std::int64_t not_before_boot_ns = 0;
  };
  void work();
  bool take(File& file);
  void upload(File file);

  const S3UploadOptions options_;
  const std::shared_ptr<cloud::S3Client> client_;
  const OutputSetup setup_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<File> queue_;
  std::size_t at_work_ = 0;
  bool ending_ = false, ended_ = false;
  std::vector<std::thread> workers_;  // tidy: allow thread: uploads wait for the network beside the events
};

}  // namespace enclave::pipeline
