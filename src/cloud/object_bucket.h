#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/object_store.h"
#include "cloud/s3_bucket.h"
#include "cloud/s3_objects.h"
#include "cloud/s3_results.h"

/// One bucket as people use it: with parts, ranges and metadata, in an S3 store or in a file store.
namespace enclave::cloud {

/// Thread-safe. Faults as those of ObjectStore. `told` is what the server called its answer, also when it fails; a file
/// store leaves it empty.
class ObjectBucket {
 public:
  virtual ~ObjectBucket() = default;

  virtual Result<ObjectHead> head(const std::string& key, const std::string& version, S3Told& told) = 0;
  /// At most `count` bytes from `first` on; none from the end on. With an `etag`, only of the object that has it
  /// (Fault::conflict).
  virtual Result<ObjectPart> range(const std::string& key, const std::string& version, std::uint64_t first,
                                   std::uint64_t count, const std::string& etag, S3Told& told) = 0;
  /// Creates or replaces; gives the new version.
  virtual Result<std::string> put(const std::string& key, std::string_view bytes, const Pairs& metadata,
                                  S3Told& told) = 0;

  /// An object in parts, each of 5 MiB to 5 GiB but the last; 10,000 at most.
  virtual Result<MultipartUpload> begin(const std::string& key, const Pairs& metadata, S3Told& told) = 0;
  /// `offset`: where the part begins in the object. Any order, any thread, each number again: the last one counts.
  virtual Result<UploadPart> put_part(const MultipartUpload& upload, std::uint32_t number, std::uint64_t offset,
                                      std::string_view bytes, S3Told& told) = 0;
  /// The new version. Fault::busy: it may be there all the same.
  virtual Result<std::string> complete(const MultipartUpload& upload, std::vector<UploadPart> parts, S3Told& told) = 0;
  virtual Result<void> abort(const MultipartUpload& upload) = 0;
  /// Fault::absent: there is no such upload (a file store cannot go on with one).
  virtual Result<std::vector<UploadPart>> parts(const MultipartUpload& upload) = 0;

  virtual Result<void> list(const Listing& listing, const std::function<Result<void>(const ObjectInfo&)>& visit) = 0;
  /// A copy of this version becomes the latest one of its key; with its metadata.
  virtual Result<std::string> restore(const std::string& key, const std::string& version) = 0;
  virtual Result<Deleted> remove(const std::vector<KeyVersion>& which) = 0;
  virtual std::string name() const = 0;
  /// False: the metadata of put() and begin() are lost, and those that head() and range() give are empty.
  virtual bool keeps_metadata() const { return true; }
};

/// The S3 bucket outlives it.
std::unique_ptr<ObjectBucket> object_bucket(S3Bucket& bucket);
/// `directory`: of the bucket. One process writes at a time: the caller holds the lock.
Result<std::unique_ptr<ObjectBucket>> object_bucket_in(World world, const std::string& directory);

/// Removes what interrupted uploads left in a file store's bucket. The caller holds the lock.
Result<void> sweep_uploads_in(Files& files, const std::string& directory);

}  // namespace enclave::cloud
