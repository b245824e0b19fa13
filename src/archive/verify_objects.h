#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "archive/verify_inventory.h"

/// Compares the stored objects with their leaves, on several threads. Without identities a thread holds one piece of
/// one object in memory; with them, one object.
namespace enclave::archive {

/// A leaf that names an object, and what is stored under that key: the latest version first.
struct ObjectJob {
  Leaf leaf;
  std::vector<StoredVersion> stored;
};

/// What the log itself says of objects that are not there.
struct Allowed {
  std::unordered_set<std::string> expired;  ///< keys that an expire leaf names
  std::map<std::uint64_t, std::pair<std::uint64_t, std::string>>
      lost;  ///< first record → last record and reason of a gap leaf
};

class ObjectCheck {
 public:
  struct Counts {
    std::uint64_t ok = 0, bytes = 0, records_read = 0;
  };
  /// `total`: what progress counts against.
  ObjectCheck(LogSource& source, const VerifyOptions& options, Clock& clock, Findings& findings, Allowed allowed,
              VerifyProgress total);
  ~ObjectCheck();

  /// Waits while the threads have enough to do.
  void submit(ObjectJob job);
  /// Waits for all of them.
  Counts finish();

 private:
  void work();
  void check(const ObjectJob& job);
  void absent(const ObjectJob& job);
  void modified(const ObjectJob& job, std::uint64_t bytes, const Digest& digest);
  void older_versions(const ObjectJob& job);
  Result<bool> latest_is_whole(const ObjectJob& job);
  Result<std::pair<std::uint64_t, Digest>> digest_of(const std::string& key, const std::string& version);
  bool records(const Leaf& leaf, std::string_view object);
  void progress(std::uint64_t bytes, bool object_done);

  LogSource& source_;
  const VerifyOptions& options_;
  Clock& clock_;
  Findings& findings_;
  const Allowed allowed_;
  const std::set<std::string> pending_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ObjectJob> jobs_;
  bool closed_ = false;
  Counts counts_;
  std::uint64_t not_ours_ = 0;  ///< objects that no identity opens
  std::optional<Finding> not_ours_first_;
  VerifyProgress progress_;
  std::int64_t progress_at_ns_ = 0;
  std::vector<std::jthread> threads_;
};

}  // namespace enclave::archive
