#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/object_store.h"
#include "cloud/s3_bucket.h"
#include "cloud/s3_results.h"

/// Operations on the objects of a bucket beyond ObjectStore, as plain functions. A busy server is asked again as
/// S3Client does it. Keys are 1 to 1,024 bytes of UTF-8; others are Fault::invalid before any request. What the server
/// called its answer goes to `told`, also when it fails.
namespace enclave::cloud {

Result<void> check_key(std::string_view key);

/// What is known of an object before its bytes.
struct ObjectHead {
  ObjectInfo info;  ///< `bytes`: as they are stored
  Pairs metadata;   ///< names in lower case, without "x-amz-meta-"; a file store keeps none
};
struct ObjectPart {
  ObjectHead head;
  std::string bytes;
};
Result<ObjectHead> head_object(S3Bucket& bucket, const std::string& key, const std::string& version,
                               S3Told* told = nullptr);
/// At most `count` bytes from `first` on; fewer at the end of the object, none from its end on, and then its head is
/// asked for. With an `etag`, only of the object that has it: Fault::conflict when it has changed.
Result<ObjectPart> get_range(S3Bucket& bucket, const std::string& key, const std::string& version, std::uint64_t first,
                             std::uint64_t count, std::string_view etag = "", S3Told* told = nullptr);

/// What is stored with an object, and what it is stored as.
struct ObjectHeaders {
  std::string content_type;
  Pairs metadata;  ///< without "x-amz-meta-"; names in lower case
};
/// Creates or replaces; gives the new version.
Result<std::string> put_object(S3Bucket& bucket, const std::string& key, std::string_view bytes,
                               const ObjectHeaders& headers = {}, S3Told* told = nullptr);
struct Copied {
  std::string etag;     ///< "" where the server does not tell it
  std::string version;  ///< of the copy
};
/// On the server, at most 5 GiB. `source_bucket` empty: this one. Without `headers` those of the source are kept.
Result<Copied> copy_object(S3Bucket& bucket, const std::string& source_bucket, const KeyVersion& source,
                           const std::string& key, const std::optional<ObjectHeaders>& headers = {});

/// Deletes all of these, 1,000 per request, those whose keys XML cannot hold one by one. What could not be deleted is
/// in `failed`, each with the server's code; what the server did not mention counts as failed ("Unanswered"). What is
/// not there counts as deleted. An Error only when a request as a whole went wrong: some may be deleted then.
Result<Deleted> delete_objects(S3Bucket& bucket, const std::vector<KeyVersion>& which);

/// Whoever holds the URL may GET, PUT, HEAD or DELETE this object for so long (1 s to 7 days).
Result<std::string> presigned_url(S3Bucket& bucket, std::string_view method, const std::string& key,
                                  const std::string& version, Nanoseconds valid);

// An object that is uploaded in parts: every part but the last has 5 MiB to 5 GiB; 10,000 at most.
Result<MultipartUpload> begin_upload(S3Bucket& bucket, const std::string& key, const ObjectHeaders& headers = {},
                                     S3Told* told = nullptr);
/// May be repeated: the last one with that number counts.
Result<UploadPart> put_part(S3Bucket& bucket, const MultipartUpload& upload, std::uint32_t number,
                            std::string_view bytes, S3Told* told = nullptr);
/// All parts that were put must be given; they are sorted here. The version of the object. When the answer got lost,
/// Fault::busy: it may be there, and abort_upload() then leaves it alone.
Result<Copied> complete_upload(S3Bucket& bucket, const MultipartUpload& upload, std::vector<UploadPart> parts,
                               S3Told* told = nullptr);
/// One that is gone already is fine.
Result<void> abort_upload(S3Bucket& bucket, const MultipartUpload& upload);
/// In order of their numbers. Fault::absent when there is no such upload.
Result<std::vector<UploadPart>> list_parts(S3Bucket& bucket, const MultipartUpload& upload);
/// Unfinished ones, at most `at_most` (Fault::limit beyond).
Result<std::vector<Upload>> list_uploads(S3Bucket& bucket, const std::string& prefix, std::size_t at_most = 100'000);

/// The account's buckets; `bucket` may be nameless.
Result<Account> list_buckets(S3Bucket& bucket);

}  // namespace enclave::cloud
