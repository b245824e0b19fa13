#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cloud/s3_results.h"
#include "crypto/secret.h"
#include "io/host.h"

/// What an interrupted upload needs to go on: one file per upload, 0600, because it holds the key of the object until
/// the upload is complete.
namespace enclave::cloud {

struct UploadState {
  std::string store;  ///< ObjectBucket::name()
  std::string key;
  std::string path;
  std::string id;      ///< of the upload
  std::string sha256;  ///< of the plain text, in hex
  std::uint64_t bytes = 0;
  std::uint64_t part_bytes = 0;
  std::string recipients;  ///< separated by spaces; empty: not encrypted
  std::string preface;     ///< age header and nonce
  crypto::Secret file_key;
  std::vector<UploadPart> parts;  ///< those that the store has acknowledged
};

/// Holds a lock on it as long as it lives. add() is thread-safe.
class UploadJournal {
 public:
  /// Fault::conflict when another process holds it. Makes the directory.
  static Result<std::unique_ptr<UploadJournal>> open(World world, const std::string& directory,
                                                     const std::string& store, const std::string& key,
                                                     const std::string& path);
  /// What it says, if it can be read; without the part at its end that a crash cut.
  Result<std::optional<UploadState>> load() const;
  /// On the disk when it returns: before the first part is sent.
  Result<void> begin(const UploadState& state);
  Result<void> add(const UploadPart& part);
  Result<void> remove();

 private:
  UploadJournal(World world, std::string path, io::Lock lock)
      : world_(world), path_(std::move(path)), lock_(std::move(lock)) {}
  World world_;
  std::string path_;
  io::Lock lock_;
  std::mutex mutex_;
  std::unique_ptr<File> file_;
  std::uint64_t end_ = 0;
};

Result<UploadState> parse_upload_state(std::string_view text);
std::string format_upload_state(const UploadState& state);
inline constexpr std::string_view kUploadJournalEnding = ".upload";

}  // namespace enclave::cloud
