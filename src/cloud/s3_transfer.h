#pragma once

#include <atomic>
#include <functional>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cloud/encrypted_object.h"
#include "cloud/object_bucket.h"
#include "crypto/age.h"

/// Objects on their way in and out: in parts, by several threads, encrypted before they leave and checked when they
/// come (docs/formats/object.md). Memory: about two parts per thread.
namespace enclave::cloud {

struct TransferOptions {
  unsigned parallel = 8;                    ///< threads, 1 to 64
  std::uint64_t part_bytes = 8 << 20;       ///< of plain text; see part_bytes_for()
  std::string journals;                     ///< directory for what interrupted transfers need; empty: they begin anew
  const std::atomic<bool>* stop = nullptr;  ///< true: end soon, with Fault::busy and what can be resumed kept
  std::function<void(std::uint64_t bytes)> progress;  ///< so many more bytes are done; from any thread
  bool is_stopped() const { return stop != nullptr && stop->load(); }
};

struct UploadFrom {
  std::string key;
  std::string path;                                  ///< absolute
  std::span<const crypto::AgeRecipient> recipients;  ///< none: not encrypted
};

struct Stored {
  std::string version;
  std::uint64_t plain_bytes = 0;
  std::uint64_t stored_bytes = 0;
  bool resumed = false;
};

/// A file that is read in pieces while it is sent. Faults: conflict (it changed while it was read; or another process
/// uploads it to the same key), and those of the store and of Files. After Fault::busy the same call goes on where it
/// was, where the store can and a journal is kept; after others nothing is left.
Result<Stored> upload_file(World world, ObjectBucket& bucket, const UploadFrom& from, const TransferOptions& options,
                           S3Told& told);

/// Reads until `read` gives 0. Larger ones than a part have no digest of the plain text in the metadata, which goes
/// first; age authenticates them. Cannot be resumed.
using ReadStream = std::function<Result<std::size_t>(std::span<char> into)>;
Result<Stored> upload_stream(World world, ObjectBucket& bucket, const UploadFrom& from, const ReadStream& read,
                             const TransferOptions& options, S3Told& told);

/// Journals of uploads that nobody went on with for `older_than` are ended: their parts are aborted at the store. How
/// many there were. `open` gives the bucket of a name, or nullptr: it is left alone.
using OpenBucket = std::function<ObjectBucket*(const std::string& store)>;
Result<std::size_t> sweep_uploads(World world, const std::string& journals, Nanoseconds older_than,
                                  const OpenBucket& open);

/// An object that is open for reading. Thread-safe.
class ObjectReader {
 public:
  struct Options {
    std::span<const crypto::AgeIdentity> identities;
    bool as_stored = false;                ///< not decrypted
    std::uint64_t ahead_bytes = 64 << 10;  ///< of plain text that the first request brings along
  };
  /// One request. Faults: denied (encrypted, and no identity fits), absent, corrupt.
  static Result<ObjectReader> open(ObjectBucket& bucket, const std::string& key, const std::string& version,
                                   const Options& options, S3Told& told);

  const ObjectHead& head() const { return head_; }
  const PlainFacts& facts() const { return facts_; }
  bool is_encrypted() const { return age_.has_value(); }
  /// Of what read() gives.
  std::uint64_t bytes() const { return bytes_; }
  /// Appends [first, first + count), which must lie within the object; fetches only the chunks that hold it.
  Result<void> read(std::uint64_t first, std::uint64_t count, std::string& out, S3Told& told) const;

  /// The same in two steps, for whole chunks: what is stored of them, and what that is. `take` gets the plain text in
  /// small pieces, in order.
  Result<std::string> fetch_chunks(std::uint64_t first, std::uint64_t count, S3Told& told) const;
  Result<void> open_chunks(std::uint64_t first, std::string_view stored,
                           const std::function<Result<void>(std::string_view)>& take) const;

 private:
  ObjectReader() = default;
  Result<std::string> fetched(std::uint64_t first, std::uint64_t count, S3Told& told) const;
  ObjectBucket* bucket_ = nullptr;
  ObjectHead head_;
  PlainFacts facts_;
  std::optional<crypto::AgeReader> age_;
  std::uint64_t bytes_ = 0;
  std::string ahead_;  ///< the first bytes as they are stored
};

struct DownloadTo {
  std::string path;  ///< absolute; replaced only with `force` (Fault::conflict)
  bool force = false;
  /// A small file is left under Downloaded::temporary and nothing is synced: the caller does it for many at once, and
  /// then calls finish_download().
  bool keep_open = false;
};

struct Downloaded {
  std::uint64_t bytes = 0;
  bool encrypted = false;
  bool checked = false;  ///< by age, or against the digest in the metadata
  bool resumed = false;
  std::string temporary;
};

/// Into a temporary file beside `to.path`, which takes its place when all of it is there, checked and on the disk.
Result<Downloaded> download_file(World world, const ObjectReader& reader, const DownloadTo& to,
                                 const TransferOptions& options, S3Told& told);
/// The temporary file is on the disk: now it takes its name.
Result<void> finish_download(Files& files, const DownloadTo& to, const std::string& temporary);
/// In order, to whoever takes it: what was given out before an error may be unchecked but for age's authentication.
Result<Downloaded> download_stream(const ObjectReader& reader,
                                   const std::function<Result<void>(std::string_view)>& take,
                                   const TransferOptions& options, S3Told& told);

}  // namespace enclave::cloud
