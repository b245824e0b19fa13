#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/growing_file.h"
#include "io/patience.h"
#include "pipeline/output.h"

namespace enclave::pipeline {

/// The files that an output appends to. At most kOpenMax are open; the longest unused one is synced and closed then.
/// One thread at a time.
class FileTargets {
 public:
  static constexpr std::size_t kOpenMax = 256;

  struct Options {
    std::string failure;       ///< for what no other file takes
    bool from_events = false;  ///< paths are made of what events say: one that cannot be opened goes to `failure`
    unsigned file_mode = 0666, folder_mode = 0777;  ///< less the umask
    bool create_if_deleted = true;                  ///< else what has no file goes to `failure`
    bool overwrite = false;                         ///< a file holds what was written last
    bool gzip = false;
    Nanoseconds stale_after = std::chrono::seconds(10);  ///< unused files are closed
  };

  FileTargets(Options options, const OutputSetup& setup)
      : options_(std::move(options)), setup_(setup), patience_(setup.stopping, kFirstPause, kLastPause) {}

  /// One write. Waits while the disk is full or the file cannot be opened for now; Fault::busy when the program stops.
  Result<void> append(const std::string& path, std::span<const std::string_view> pieces);
  /// Everything that was appended is on the disk; closes files that are stale.
  Result<void> sync();

 private:
  struct Open {
    std::string path;
    io::GrowingFile file;
    std::int64_t used_boot_ns = 0;
    bool dirty = false;
  };
  using Files = std::list<Open>;

  Result<Open*> opened(const std::string& path);
  Result<io::GrowingFile> open_file(const std::string& path);
  Result<void> write(Open& open, std::span<const std::string_view> pieces, bool begun, std::size_t& written);
  Result<void> sync_one(Open& open);
  Result<void> close(Files::iterator which);
  Result<void> set_aside_when_torn(const std::string& path);
  bool is_hopeless(const Error& error, const std::string& path) const;

  static constexpr Nanoseconds kFirstPause = std::chrono::milliseconds(100), kLastPause = std::chrono::seconds(2);
  const Options options_;
  const OutputSetup setup_;
  io::Patience patience_;
  Files files_;  ///< the latest used one first
  std::unordered_map<std::string_view, Files::iterator> by_path_;
  std::vector<std::string> folders_to_sync_;
};

}  // namespace enclave::pipeline
